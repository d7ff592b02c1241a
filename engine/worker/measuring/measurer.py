"""Measurements of a variant during its training, in short slices that take 1% of the time.

Each measurement uses a copy of the model made at its start, so that training continues between the
slices. It knows neither the log nor the pipe, and must not change the trained model.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import msgspec
import numpy as np

from engine.log.commands import Measure, SetMeasuring
from engine.log.measurements import NoiseScale, Sharpness, edge_of_stability
from engine.log.records import Measured, MeasuringSet, Record, Refused, State
from engine.worker.measuring.sizes import (
    SAMPLES,
    Allowance,
    CostlyError,
    measure_noise,
    measure_sharpness,
)

if TYPE_CHECKING:
    from engine.measure.steps import Steps
    from engine.training.trainer import Trainer

SHARE: Final = 0.01
"""Share of a variant's training time for periodic measuring.

With evaluations, the trail and the check of the weights it should stay below 2%. The cold caches
that it leaves cost as much again.
"""

SLICE_SECONDS: Final = 0.002
"""Seconds of measuring at a time, unless a single piece takes longer."""
_FIRST: Final = 0.1
"""Seconds of training before the first measurement, so as not to delay the first losses."""
_MOST_SAMPLES: Final = 1 << 16
"""Maximum samples of a noise scale; reached by factors of 4 after intervals that were too wide."""
_OFTEN: Final = 120.0
"""Seconds of training after which a measurement should be complete, or twice the time so far."""
TOO_LONG: Final = 3600.0
"""Seconds of training that are too long for one measurement, unless the user asks for it."""
_ASKED_SECONDS: Final = 30.0
"""Computing time of a measurement that the user asks for."""
_LAST_SECONDS: Final = 2.0
"""Computing time of a measurement at the end of training, or the share of training if longer."""
_LAST_AT_MOST: Final = 20.0
"""A measurement that takes longer is not made at the end of training."""
_PIECE: Final = 64
"""Samples of a first piece, approximately."""
_PIECE_COST: Final = 1.5
"""Cost of a piece of a measurement, as a multiple of an update with as many samples."""
_GROWTH: Final = 0.02
"""Minimum updates between two measurements, as a share of all updates; keeps the log small."""
_SEED: Final = 0x6D656173  # "meas": makes these draws independent of all others

Kind = Literal["noise", "sharpness"]
_KINDS: Final[tuple[Kind, ...]] = ("noise", "sharpness")
_NAMES: Final[dict[Kind, str]] = {"noise": "noise scale", "sharpness": "curvature"}
"""The names that users read."""


@dataclass(slots=True)
class _Job:
    """A measurement in progress."""

    kind: Kind
    steps: Steps[NoiseScale | Sharpness | None]
    at: Measured
    """The record of the measurement, still without the result."""
    cost: float = 0.0


class Measurer:
    """Measures a variant's model and passes each record to `write`."""

    def __init__(
        self,
        write: Callable[[Record], None],
        *,
        is_on: bool,
        slice_seconds: float = SLICE_SECONDS,
    ) -> None:
        self._write = write
        self._slice_seconds = slice_seconds
        self.is_on = is_on
        self._job: _Job | None = None
        self._asked: list[Kind] = []
        self._command = 0
        self._owed = _FIRST
        self._is_first = True
        self._looked_at = 0.0
        self._measured: dict[Kind, int] = {}
        self._impossible: dict[Kind, str] = {}
        self._costly: set[Kind] = set()
        """Kinds that are measured only when the user asks for it."""
        self._is_last = False
        self._next = 0
        self._samples = SAMPLES
        self._generator = np.random.default_rng(_SEED)

    # --- When -----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin another generation, and drop the measurement in progress."""
        self._job = None
        self._asked, self._command = [], 0
        self._measured.clear()
        self._owed = max(self._owed, _FIRST)

    def obey(self, command: Measure | SetMeasuring, state: State) -> None:
        """Measure now, periodically or only on request. `state` is that of the training."""
        if isinstance(command, SetMeasuring):
            self._set_on(command.is_on, command.id)
        elif not state.has_sound_weights:
            self._write(
                Refused(detail=f"nothing to measure: the variant is {state}", command=command.id)
            )
        else:
            self.ask(command.id)
            if not self._asked:
                reasons = "; ".join(
                    f"{_NAMES[kind]}: {why}" for kind, why in self._impossible.items()
                )
                self._write(Refused(detail=f"cannot be measured: {reasons}", command=command.id))

    def _set_on(self, is_on: bool, command: int) -> None:
        self.is_on = is_on
        if not is_on and not self._asked:
            self._job = None
        self._impossible.clear()
        self._costly.clear()
        self._write(MeasuringSet(is_on=is_on, command=command))

    def ask(self, command: int = 0, *, is_last: bool = False) -> None:
        """Measure everything as soon as possible, and drop the measurement in progress.

        `is_last` is for the end of training: what takes long is left out.
        """
        self._job = None
        self._is_last = is_last
        self._asked = [kind for kind in _KINDS if kind not in self._impossible]
        self._command = command

    def pay(self, seconds: float) -> None:
        """Count time spent on training, or on waiting for its pace."""
        self._owed = max(self._owed - seconds, 0.0)

    def wait(self, updates: int, state: State) -> float | None:
        """Seconds of training until the next slice; None if there is nothing to measure.

        `updates` is the number done so far, `state` the state of the training.
        """
        if not state.has_sound_weights:
            return None
        if self._asked:
            return 0.0
        if not (self.is_on and state is State.RUNNING):
            return None  # periodic measuring takes a share of training time only
        if self._job is None and self._next_kind(updates) is None:
            return None
        return self._owed

    def _next_kind(self, updates: int) -> Kind | None:
        """The next kind whose last measurement is old enough; None if there is none."""
        for turn in range(len(_KINDS)):
            kind = _KINDS[(self._next + turn) % len(_KINDS)]
            since = updates - self._measured.get(kind, -1)
            possible = kind not in self._impossible and kind not in self._costly
            if possible and since > _GROWTH * updates:
                return kind
        return None

    # --- What -----------------------------------------------------------------------------------

    def look(self, trainer: Trainer, state: State) -> None:
        """Do one slice if it is due; its time does not count as training time."""
        if state is State.RUNNING:
            self.pay(time.perf_counter() - self._looked_at)
        if self._is_first and trainer.batches:
            self._is_first = False
            self._owed = max(self._owed, self._first_cost(trainer) / SHARE)
        if self.wait(trainer.updates, state) == 0.0:
            self.work(trainer)
        self._looked_at = time.perf_counter()

    def _first_cost(self, trainer: Trainer) -> float:
        """Estimate the seconds of a first piece, from those of a batch.

        A batch of b samples costs between b samples and one call: take the geometric mean.
        """
        ratio = _PIECE / min(trainer.resolved.batch_size, trainer.n)
        return _PIECE_COST * trainer.seconds / trainer.batches * math.sqrt(max(ratio, 1.0))

    def work(self, trainer: Trainer) -> None:
        """Do one slice. If it fails, log the reason once and give up that kind; never raises."""
        start = time.perf_counter()
        kind: Kind | None = self._job.kind if self._job else None
        try:
            if self._job is None:
                kind = self._asked[0] if self._asked else self._next_kind(trainer.updates)
                if kind is None:
                    return
                self._job = self._begin(kind, trainer)
            self._do_slice(self._job, trainer, start)
        except BaseException as error:  # a user's code may also exit
            self._give_up(kind or "noise", error)
        self._owed = (time.perf_counter() - start) / SHARE

    def _begin(self, kind: Kind, trainer: Trainer) -> _Job:
        settings, resolved = trainer.settings, trainer.resolved
        at = Measured(
            generation=trainer.generation,
            epoch=trainer.epoch,
            updates=trainer.updates,
            samples=trainer.samples,
            seconds=trainer.seconds,
            effective_batch=resolved.effective_batch,
            lr=trainer.recipe.lr,
            edge=edge_of_stability(trainer.recipe.lr, settings),
            cost=0.0,
        )
        allowance = self._allowance(trainer.seconds)
        if kind == "noise":
            return _Job(kind, measure_noise(trainer, self._generator, self._samples, allowance), at)
        # The same samples each time: the curve shows the weights' changes, not the samples'.
        draw = np.random.default_rng((_SEED, trainer.n))
        return _Job(kind, measure_sharpness(trainer, draw, allowance), at)

    def _allowance(self, trained: float) -> Allowance:
        """Computing time of the next measurement, after so many seconds of training."""
        if not self._asked:
            return Allowance(seconds=SHARE * max(trained, _OFTEN), at_most=SHARE * TOO_LONG)
        if self._is_last:
            seconds = max(SHARE * trained, _LAST_SECONDS)
            return Allowance(seconds=seconds, at_most=max(_LAST_AT_MOST, seconds))
        return Allowance(seconds=_ASKED_SECONDS)

    def _do_slice(self, job: _Job, trainer: Trainer, start: float) -> None:
        """Do at least one piece of the measurement."""
        from engine.training.devices.process import synchronize

        result, has_ended = None, False
        try:
            next(job.steps)
            while time.perf_counter() - start < self._slice_seconds:
                next(job.steps)
        except StopIteration as end:
            result, has_ended = end.value, True
        synchronize(trainer.device)
        job.cost += time.perf_counter() - start
        if has_ended:
            self._finish(job, result)

    def _finish(self, job: _Job, result: NoiseScale | Sharpness | None) -> None:
        self._job = None
        self._next = _KINDS.index(job.kind) + 1
        self._measured[job.kind] = job.at.updates
        if isinstance(result, NoiseScale) and result.is_finite and not result.is_reliable:
            self._samples = min(self._samples * 4, _MOST_SAMPLES)
        command = 0
        if job.kind in self._asked:
            self._asked.remove(job.kind)
            command = 0 if self._asked else self._command
        if result is None:
            self._impossible[job.kind] = "there are too few samples"
            return
        found = {"noise": result} if isinstance(result, NoiseScale) else {"sharpness": result}
        self._write(msgspec.structs.replace(job.at, cost=job.cost, command=command, **found))

    def _give_up(self, kind: Kind, error: BaseException) -> None:
        """Leave out a kind from now on, or unless asked for, and log the reason once."""
        self._job = None
        was_asked = kind in self._asked
        self._asked = [each for each in self._asked if each != kind]
        reason = str(error).partition("\n")[0] or type(error).__name__
        if not isinstance(error, CostlyError):
            self._impossible[kind] = reason
            detail = f"the {_NAMES[kind]} cannot be measured here: {reason}"
        elif not was_asked:
            self._costly.add(kind)
            detail = f"the {_NAMES[kind]} is measured only on request: {reason}"
        else:  # at the end of training, which has its earlier measurements
            return
        self.is_on = self.is_on and len(self._impossible) < len(_KINDS)
        command = self._command if was_asked and not self._asked else 0
        self._write(MeasuringSet(is_on=self.is_on, detail=detail, command=command))
