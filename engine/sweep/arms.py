"""Trains and times one arm of a sweep in an ordinary session, alone.

An arm that an earlier process has trained is read; one that was cut short goes on.
"""

import contextlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from engine.jobs.messages import ReportProgress
from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.follow import Follower
from engine.log.notices import NoticeKind
from engine.log.records import Chunk, Evaluation, State, WorkerDied
from engine.log.summary import Tally
from engine.session import Session
from engine.session.past import ResumedRun
from engine.settings import Variant
from engine.sweep.directory import SweepDirectory
from engine.sweep.timeline import Point

_TICK: Final = 0.02
"""Seconds between two reads of the log."""
_FATAL: Final = {
    NoticeKind.DIED,
    NoticeKind.NOT_STARTED,
    NoticeKind.LOG_BLOCKED,
    NoticeKind.LOG_GONE,
}
_MOST_EXTENSIONS: Final = 10_000


@dataclass(slots=True)
class ArmRun:
    """The result of one arm."""

    tally: Tally
    epochs: int
    """Epochs of the sweep; later epochs belong to the comparison at equal seconds."""
    expected_epochs: int = 0
    """Epochs requested so far in total; the log confirms them later."""
    seconds: float = math.nan
    """Training time of the sweep's epochs."""
    losses: list[Point] = field(default_factory=list)
    """Loss on all training data over training time, at the ends of epochs that measured it."""
    loss: float | None = None
    """Loss on all training data after the sweep's epochs."""
    gap: float | None = None
    """Validation loss − training loss after the sweep's epochs; None without held-out data."""
    rates: list[float] = field(default_factory=list)
    """Samples per second of each chunk except the first."""

    @property
    def samples_per_s(self) -> float | None:
        """Speed of the fastest tenth of the chunks, since other load can only slow a device."""
        return float(np.quantile(self.rates, 0.9)) if self.rates else None


def equal_seconds(arms: Sequence[ArmRun]) -> float | None:
    """The training time of the slowest arm for the epochs, or the most that all trained for.

    Others train as long as the first, which is the slowest unless the machine stalled later.
    """
    slowest = max((arm.seconds for arm in arms if math.isfinite(arm.seconds)), default=None)
    ends = [arm.losses[-1][0] for arm in arms if arm.losses and arm.tally.state is State.FINISHED]
    return slowest if slowest is None else min([slowest, *ends])


class _Watch:
    """Reads an arm's log as it grows."""

    def __init__(self, run: RunDirectory, found: ArmRun) -> None:
        self._follower = Follower(run)
        self._found = found
        self._chunks = 0

    @property
    def is_whole(self) -> bool:
        """True once the logs have been read to their ends, and are undamaged."""
        return not (self._follower.damage or self._follower.unfinished())

    def read(self) -> None:
        """Read the new records."""
        found = self._found
        while records := list(self._follower.read()):
            for _, record in records:
                found.tally.add(record)
                if isinstance(record, Chunk):
                    self._time(record)
                elif isinstance(record, Evaluation):
                    self._note(record)

    def _note(self, end: Evaluation) -> None:
        found = self._found
        loss = end.full_loss if end.full_loss is not None and math.isfinite(end.full_loss) else None
        if loss is not None:
            found.losses.append((end.seconds, loss))
        if end.epoch == found.epochs:
            found.seconds, found.loss = end.seconds, loss
            if loss is not None and end.validation_loss is not None:
                found.gap = end.validation_loss - loss

    def _time(self, chunk: Chunk) -> None:
        self._chunks += 1
        # The first chunk includes the time in which torch sets up its first step.
        if self._chunks > 1 and chunk.duration > 0:
            self._found.rates.append((chunk.end_samples - chunk.samples) / chunk.duration)


def train(run: RunDirectory, at_least: float, report: ReportProgress) -> ArmRun:
    """Train the run's only variant for its epochs, and for `at_least` seconds in total.

    `report` receives the fraction done and a description of the progress. No process is left
    running, even after Ctrl+C.
    """
    found = _of(run)
    watch = _Watch(run, found)
    watch.read()  # what an earlier process trained
    found.tally.state = State.STARTING
    with Session(run) as session:
        session.start()
        while not _is_over(found, session, at_least):
            time.sleep(_TICK)
            watch.read()
            report(_fraction(found, at_least), _place(found, at_least))
    watch.read()
    return found


def read_arm(run: RunDirectory, at_least: float) -> ArmRun | None:
    """The result of an arm that an earlier process trained to its end.

    None if it was cut short, is damaged, or was trained for less than `at_least` seconds.
    """
    found = _of(run)
    watch = _Watch(run, found)
    watch.read()
    if not watch.is_whole:
        return None
    if found.tally.state is State.DIVERGED:
        return found
    is_done = found.tally.state is State.FINISHED and found.tally.seconds >= at_least
    return found if is_done else None


def earlier_arm(
    directory: SweepDirectory,
    variant: Variant,
    seconds: float,
    remove_arm: Callable[[Path], None] | None,
) -> ArmRun | ResumedRun | None:
    """An arm that an earlier process began: its result, or its run if it has to go on.

    None once it can be trained from the start, after `remove_arm` has removed one that failed or is
    damaged. Raises RunDirectoryError if that is impossible.
    """
    folder = directory.folder(variant.name)
    if not (directory.is_resumed and folder.is_dir()):
        return None
    with contextlib.suppress(RunDirectoryError):
        run = RunDirectory.open(folder)
        if run.info.settings.variants != (variant,):
            return None  # not a run of this sweep: it stays
        if (arm := read_arm(run, seconds)) is not None:
            return arm
        if (resumed := _cut_short(run)) is not None:
            resumed.custody.handover = directory.handover and directory.handover.lent()
            return resumed
    if remove_arm is not None:
        remove_arm(folder)
    return None


def _cut_short(run: RunDirectory) -> ResumedRun | None:
    """The run of an arm that was stopped or killed, to go on; None if it failed or never trained.

    Raises RunDirectoryError if its log is damaged, or while it is being trained.
    """
    found = _of(run)
    _Watch(run, found).read()
    if not found.tally.generation or found.tally.state in (State.FAILED, State.OUT_OF_MEMORY):
        return None
    return ResumedRun.take_up(run.path)


def _of(run: RunDirectory) -> ArmRun:
    (variant,) = run.info.settings.variants
    return ArmRun(Tally(variant.name, variant.settings), run.info.settings.epochs)


def _is_over(found: ArmRun, session: Session, at_least: float) -> bool:
    for notice in session.poll():
        if notice.kind in _FATAL:
            found.tally.add(WorkerDied(variant=found.tally.name, detail=notice.text))
    state = found.tally.state
    if state.is_ended and state is not State.FINISHED:
        return True
    if state is not State.FINISHED or found.tally.planned_epochs < found.expected_epochs:
        return False
    if found.tally.seconds >= at_least:
        return True
    _extend(found, session, at_least)
    return False


def _extend(found: ArmRun, session: Session, at_least: float) -> None:
    """Add the epochs that fit into the time left, estimated from the time of earlier epochs."""
    per_plan = max(found.tally.seconds, 1e-6) * found.epochs / found.tally.planned_epochs
    times = min(math.ceil((at_least - found.tally.seconds) / per_plan), _MOST_EXTENSIONS)
    found.expected_epochs = found.tally.planned_epochs + times * found.epochs
    session.extend(found.expected_epochs)


def _fraction(found: ArmRun, at_least: float) -> float:
    tally = found.tally
    epochs = min(tally.samples / (tally.n * found.epochs), 1.0) if tally.n else 0.0
    return min(epochs, tally.seconds / at_least) if at_least > 0 else epochs


def _place(found: ArmRun, at_least: float) -> str:
    """Progress, e.g. "epoch 2 of 5"; then "1.2 of 3.4 s", where 3.4 s is the time to reach."""
    tally = found.tally
    if not tally.epoch:
        return "starting"
    if len(tally.epoch_losses) < found.epochs or not at_least:
        return f"epoch {min(tally.epoch, found.epochs)} of {found.epochs}"
    return f"{min(tally.seconds, at_least):.1f} of {at_least:.1f} s"
