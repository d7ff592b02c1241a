"""A surveyor's main: reads the trails of a run, lays a plane through them, and takes the loss over it.

Works row by row and looks for new wishes and new weights between the rows. Ends with its pipe.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from engine.landscape.client import Laid, Look, LossRow, Paths, Survey, SurveyFailed, SurveyTask
from engine.landscape.plane import Array, Plane, Window, loss_row, plane_of, window_around
from engine.log.directory import RunDirectory
from engine.measure.weights_log import Trail, trail_path
from engine.problems.error_messages import explain
from engine.problems.user_file import file_of
from engine.worker.main import settle_process

if TYPE_CHECKING:
    from engine.measure.model_copy import Probe

_TRAIL_SECONDS: Final = 0.25
"""Between two looks at the trails."""
_REFIT_SECONDS: Final = 2.0
_REFIT_GROWTH: Final = 1.3
"""The plane is laid anew when the trails hold so many times the rows."""
_SAMPLES: Final = 2048
"""Of the training set at most, for each loss."""
_PLANE_ROWS: Final = 100
"""Of each trail, for laying the plane."""
_COARSE: Final = 4


def main(task: SurveyTask, pipe: Connection) -> None:
    """Survey until the pipe ends."""
    settle_process(Path(task.output))
    try:
        _Surveying(RunDirectory.open(Path(task.run)), pipe).run()
    except (EOFError, OSError):
        return


class _Surveying:
    """One viewer's survey."""

    def __init__(self, run: RunDirectory, pipe: Connection) -> None:
        self._run = run
        self._pipe = pipe
        self._trails = [Trail(trail_path(run.path / log)) for log in run.info.logs]
        self._paths: list[Array] = []
        self._read_at = self._laid_at = 0.0
        self._rows_laid = 0
        self._look: Look | None = None
        self._plane: Plane | None = None
        self._window: Window | None = None
        self._probe: Probe | None = None
        self._n = 0
        self._remembers_more = False
        self._work: Iterator[None] = iter(())

    def run(self) -> None:
        """Raises EOFError at the pipe's end."""
        is_busy = False
        while True:
            self._listen(0.0 if is_busy else _TRAIL_SECONDS)
            try:
                self._follow()
                is_busy = next(self._work, self) is None
            except (EOFError, OSError):
                raise
            except Exception as error:
                self._say(SurveyFailed(detail=explain(error, file_of(self._run.info.settings.problem))))
                self._work, is_busy = iter(()), False

    def _listen(self, seconds: float) -> None:
        while self._pipe.poll(seconds):
            self._look = msgspec.msgpack.decode(self._pipe.recv_bytes(), type=Look)
            if self._look.window is None:
                self._plane = None
            else:
                self._window = self._look.window
            self._work = self._survey() if self._plane is not None else iter(())
            self._read_at = seconds = 0.0

    def _say(self, found: Survey) -> None:
        self._pipe.send_bytes(msgspec.msgpack.encode(found))

    # --- Trajectories ---------------------------------------------------------------------------

    def _follow(self) -> None:
        """Look whether the trails have grown; lay the plane where there is none, or a better one."""
        now = time.monotonic()
        if self._look is None or now - self._read_at < _TRAIL_SECONDS:
            return
        self._read_at = now
        before = [len(path) for path in self._paths]
        self._paths = [np.asarray(trail.read()["weights"], np.float64) for trail in self._trails]
        sizes = [len(path) for path in self._paths]
        if not any(sizes) or not self._paths[0].shape[-1]:
            return
        if self._plane is None or self._is_outgrown(sum(sizes), now):
            self._lay(sum(sizes), now)
        elif sizes != before:
            self._tell_paths()

    def _is_outgrown(self, rows: int, now: float) -> bool:
        """The plane follows the trajectories while nobody looks at a part of it."""
        if self._look is None or self._look.window is not None or now - self._laid_at < _REFIT_SECONDS:
            return False
        return rows > self._rows_laid * _REFIT_GROWTH

    def _lay(self, rows: int, now: float) -> None:
        paths = [path for path in self._paths if len(path)]
        thin = [path[:: max(1, len(path) // _PLANE_ROWS)] for path in paths]
        self._plane = plane_of(thin)
        self._window = window_around(np.concatenate([self._plane.project(path) for path in paths]))
        self._rows_laid, self._laid_at = rows, now
        self._work = self._survey()

    def _tell_paths(self) -> None:
        assert self._plane is not None
        points = tuple(
            self._plane.project(path).astype("<f4").tobytes() if len(path) else b"" for path in self._paths
        )
        self._say(Paths(points=points))

    # --- The loss -------------------------------------------------------------------------------

    def _survey(self) -> Iterator[None]:
        """Rows of a coarse grid, then of the fine one; yields after each."""
        look, plane, window = self._look, self._plane, self._window
        assert look is not None
        assert plane is not None
        assert window is not None
        probe = self._probe = self._probe or self._make_probe()
        self._say(
            Laid(
                id=look.id,
                window=window,
                explained=plane.explained,
                is_exact=probe.size <= 2,
                samples=probe.samples,
                n=self._n,
                normalises=probe.normalises,
                remembers_more=self._remembers_more,
            )
        )
        self._tell_paths()
        for divisor in (_COARSE, 1):
            columns, rows = max(look.columns // divisor, 2), max(look.rows // divisor, 2)
            for row in range(rows):
                losses = loss_row(self._loss_at, plane, window, columns, rows, row)
                self._say(LossRow(row=row, rows=rows, losses=losses.astype("<f4").tobytes()))
                yield

    def _loss_at(self, weights: Array) -> float:
        import torch

        assert self._probe is not None
        self._probe.move(torch.from_numpy(weights))
        if self._probe.normalises:
            self._probe.renew_statistics()
        return self._probe.full_loss()

    def _make_probe(self) -> Probe:
        import torch

        from engine.problems.opening import open_problem
        from engine.training.devices import find_device
        from engine.training.trainer import Trainer

        settings = self._run.info.settings
        torch.set_num_threads(1)
        stored = self._run.data if self._run.data.is_dir() else None
        problem = open_problem(settings.problem, settings.seed, settings.data, stored)
        device = find_device(settings.device_of(0))
        trainer = Trainer(
            problem, settings.variants[0].settings, settings.seed, device, micro_batch=settings.micro_batch
        )
        self._n = trainer.n
        chosen = np.random.default_rng(settings.seed).permutation(trainer.n)[:_SAMPLES]
        probe = trainer.probe(np.sort(chosen))
        self._remembers_more = probe.remembers_more
        return probe
