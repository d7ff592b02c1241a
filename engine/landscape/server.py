"""A surveyor's main: reads a run's trails, fits a plane to them, computes the loss over it.

Works row by row, and checks for new requests and new weights between rows. Ends with its pipe.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from engine.jobs.child_side import settle_process
from engine.jobs.output import redirect_output
from engine.landscape.plane import Array, Plane, Window, loss_row, plane_of, window_around
from engine.landscape.protocol import (
    LossRow,
    SurveyFailed,
    SurveyMessage,
    SurveyRequest,
    SurveyStarted,
    SurveyTask,
    Trajectories,
)
from engine.log.directory import RunDirectory
from engine.log.filesystem.safe_open import output_opened
from engine.measure.weights_log import Trail, TrailError, trail_path
from engine.problems.error_messages import explain
from engine.problems.user_file import file_of

if TYPE_CHECKING:
    from engine.measure.model_copy import Probe

TRAIL_SECONDS: Final = 0.25
"""Interval between two reads of the trails."""
REFIT_SECONDS: Final = 2.0
_REFIT_GROWTH: Final = 1.3
"""The plane is refitted when the number of rows in the trails has grown by this factor."""
_SAMPLES: Final = 2048
"""Largest number of training samples used for each loss."""
_PLANE_ROWS: Final = 100
"""Approximate number of rows of each trail to which the plane is fitted."""
_COARSE: Final = 4


def main(task: SurveyTask, pipe: Connection) -> None:
    """Survey until the pipe is closed."""
    settle_process()
    with contextlib.suppress(EOFError, OSError):
        if task.output:
            with output_opened(task.output) as output:
                redirect_output(output)
        run = RunDirectory(Path(task.run), task.info)
        SurveyServer(run, pipe, task.stored, others=[*map(Path, task.others)]).run()


def _of_one_size(paths: list[Array]) -> list[Array]:
    """The paths with as many weights as the first non-empty one; the others become empty."""
    size = next((path.shape[-1] for path in paths if len(path)), 0)
    return [path if path.shape[-1] == size else np.zeros((0, size)) for path in paths]


class SurveyServer:
    """One viewer's survey."""

    def __init__(
        self,
        run: RunDirectory,
        pipe: Connection,
        stored: str = "",
        *,
        others: Sequence[Path] = (),
        trail_seconds: float = TRAIL_SECONDS,
        refit_seconds: float = REFIT_SECONDS,
    ) -> None:
        """`stored` is the private directory of the run's loader, if it has one.

        `others` are logs of variants whose trajectories are shown as well.

        `trail_seconds` is the interval between two reads of the trails, `refit_seconds` the
        shortest time between two planes.
        """
        self._run, self._stored = run, stored
        self._trail_seconds, self._refit_seconds = trail_seconds, refit_seconds
        self._pipe = pipe
        logs = (*(run.path / log for log in run.info.logs), *others)
        self._trails = [Trail(trail_path(log)) for log in logs]
        self._paths: list[Array] = []
        self._read_at = self._laid_at = 0.0
        self._rows_laid = 0
        self._request: SurveyRequest | None = None
        self.plane: Plane | None = None
        """The plane through the trajectories; None until there are any."""
        self._window: Window | None = None
        self._probe: Probe | None = None
        self._n = 0
        self._remembers_more = False
        self._work: Iterator[None] = iter(())

    def run(self) -> None:
        """Serve requests; raises EOFError when the pipe is closed."""
        is_busy = False
        while True:
            self.listen(0.0 if is_busy else self._trail_seconds)
            try:
                is_busy = self.step()
            except (EOFError, OSError):
                raise
            except TrailError as error:
                self._fail(str(error))
                is_busy = False
            except BaseException as error:  # a user's code may also exit
                self._fail(explain(error, file_of(self._run.info.settings.problem)))
                is_busy = False

    def _fail(self, detail: str) -> None:
        self._say(SurveyFailed(detail=detail))
        self._work = iter(())

    def listen(self, seconds: float) -> None:
        """Receive requests; wait up to `seconds` for the first one."""
        while self._pipe.poll(seconds):
            self._request = msgspec.msgpack.decode(self._pipe.recv_bytes(), type=SurveyRequest)
            if self._request.window is None:
                self.plane = None
            else:
                self._window = self._request.window
            self._work = self._survey() if self.plane is not None else iter(())
            self._read_at = seconds = 0.0

    def step(self) -> bool:
        """Follow the trails and survey one row; False if nothing is left to survey."""
        self._follow()
        return next(self._work, self) is None

    def _say(self, found: SurveyMessage) -> None:
        self._pipe.send_bytes(msgspec.msgpack.encode(found))

    # --- Trajectories ---------------------------------------------------------------------------

    def _follow(self) -> None:
        """Read the trails again; fit a plane if there is none yet, or if it is outdated."""
        now = time.monotonic()
        if self._request is None or now - self._read_at < self._trail_seconds:
            return
        self._read_at = now
        before = [len(path) for path in self._paths]
        self._paths = _of_one_size(
            [np.asarray(trail.read()["weights"], np.float64) for trail in self._trails]
        )
        sizes = [len(path) for path in self._paths]
        if not any(sizes) or not self._paths[0].shape[-1]:
            return
        if self.plane is None or self._is_outgrown(sum(sizes), now):
            self._lay(sum(sizes), now)
        elif sizes != before:
            self._tell_trajectories()

    def _is_outgrown(self, rows: int, now: float) -> bool:
        """True if the trails have outgrown the plane, unless the viewer chose a part of it."""
        if (
            self._request is None
            or self._request.window is not None
            or now - self._laid_at < self._refit_seconds
        ):
            return False
        return rows > self._rows_laid * _REFIT_GROWTH

    def _lay(self, rows: int, now: float) -> None:
        paths = [path for path in self._paths if len(path)]
        thin = [path[:: max(1, len(path) // _PLANE_ROWS)] for path in paths]
        self.plane = plane_of(thin)
        self._window = window_around(np.concatenate([self.plane.project(path) for path in paths]))
        self._rows_laid, self._laid_at = rows, now
        self._work = self._survey()

    def _tell_trajectories(self) -> None:
        assert self.plane is not None
        points = tuple(
            self.plane.project(path).astype("<f4").tobytes() if len(path) else b""
            for path in self._paths
        )
        self._say(Trajectories(points=points))

    # --- The loss -------------------------------------------------------------------------------

    def _survey(self) -> Iterator[None]:
        """Survey the rows of a coarse grid, then those of the fine grid; yields after each row."""
        request, plane, window = self._request, self.plane, self._window
        assert request is not None
        assert plane is not None
        assert window is not None
        probe = self._probe = self._probe or self._make_probe()
        self._say(
            SurveyStarted(
                id=request.id,
                window=window,
                explained=plane.explained,
                is_exact=probe.size <= 2,
                samples=probe.samples,
                n=self._n,
                normalises=probe.normalises,
                remembers_more=self._remembers_more,
            )
        )
        self._tell_trajectories()
        for divisor in (_COARSE, 1):
            columns, rows = max(request.columns // divisor, 2), max(request.rows // divisor, 2)
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
        from engine.measure.model_copy import Probe
        from engine.problems.opening import make_trainer, open_on_device

        run = self._run.info.settings
        taken, problem = open_on_device(run, run.device_of(0), 1, stored=self._stored)
        trainer = make_trainer(problem, run.variants[0].settings, run, taken.device)
        self._n = trainer.n
        chosen = np.random.default_rng(run.seed).permutation(trainer.n)[:_SAMPLES]
        probe = Probe.of(trainer, np.sort(chosen))
        self._remembers_more = probe.remembers_more
        return probe
