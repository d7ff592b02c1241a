"""The generations of a variant, one after another: how each of them begins."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from engine.log.commands import Change, Restart, Rewind
from engine.log.records import Planned, Point, Refused, State, StateChanged
from engine.settings import VariantSettings
from engine.worker.checkpoints.keeper import Keeper
from engine.worker.compiling.builds import Builds
from engine.worker.compiling.step import CompiledStep
from engine.worker.evaluation import Evaluator
from engine.worker.lifetime.failures import failure_of
from engine.worker.lifetime.generations import Generations
from engine.worker.lifetime.workplace import Workplace
from engine.worker.mailbox import Mailbox
from engine.worker.pace import Pace
from engine.worker.protocol import WorkerTask
from engine.worker.recording.recorder import Recorder

if TYPE_CHECKING:
    from engine.log.lineage.past import Past
    from engine.log.lineage.points import Reached
    from engine.training.trainer import Trainer
    from engine.worker.checkpoints.resuming import Repetition

_SHOW_SECONDS: Final = 0.5
"""Seconds between two notes on how far a training that is repeated has come."""


class Succession:
    """The trainer of the current generation, or the way to it; the base of `Training`."""

    def __init__(
        self, task: WorkerTask, mailbox: Mailbox, recorder: Recorder, generation: int
    ) -> None:
        """`generation`: the last one of earlier workers."""
        self._task = task
        self._mailbox = mailbox
        self._recorder = recorder
        self._number = generation
        self._epochs = task.epochs
        self._pace = Pace(task.pace)
        self._state = State.STARTING
        self._workplace = Workplace(task)
        self._trainer: Trainer | None = None
        self._repetition: Repetition | None = None
        """The way to the point from which training goes on; None once it is there."""
        self._shown_at = 0.0
        self._pending: Change | None = None
        self._is_held = task.is_paused
        """True if paused, or if it will pause after this update; restart and Extend keep it."""
        self._has_lost_device = False
        """True if no call on the device can succeed in this process any more."""
        self._evaluator = Evaluator(recorder.write, task.run.validate_every)
        # Imported here since it imports numpy, for which the session's process need not wait.
        from engine.worker.measuring.measurer import Measurer

        self._measurer = Measurer(recorder.write, is_on=task.measuring)
        self._keeper = Keeper(task, mailbox.send, recorder.check_place)
        mailbox.before_end = self._keeper.finish
        builds = Builds(mailbox)
        self._step = CompiledStep(task, builds, recorder.write)
        self._generations = Generations(
            task, self._workplace, recorder, self._evaluator, self._measurer, builds
        )

    def _guarded(self, do: Callable[[], None]) -> None:
        """Call `do`; an exception from the user's problem or device becomes the variant's state."""
        try:
            do()
        except BaseException as error:  # a user's code may also exit
            has_begun = self._trainer is not None or self._number > 1
            failure = failure_of(error, self._task.run.problem, self._number, has_begun=has_begun)
            self._state = failure.state
            self._recorder.write(failure)
            if self._workplace.is_lost(error):
                self._has_lost_device, self._trainer = True, None

    def _become(self, state: State, detail: str = "", *, command: int = 0) -> None:
        self._state = state
        self._recorder.write(
            StateChanged(generation=self._number, state=state, detail=detail, command=command)
        )

    def _planned(self, command: int = 0) -> Planned:
        return Planned(epochs=self._epochs, pace=self._pace.value, command=command)

    # --- From the initial weights ---------------------------------------------------------------

    def _begin(self, settings: VariantSettings, *, command: int = 0) -> None:
        """Start the next generation from the initial weights."""
        self._leave(self._number + 1)
        self._guarded(lambda: self._load(settings, command))
        if self._trainer is not None and self._state is State.STARTING:
            self._become(State.PAUSED if self._is_held else State.RUNNING)

    def _leave(self, number: int) -> None:
        """Leave the generation that was trained so far for the one with this number."""
        self._number = number
        self._trainer = self._repetition = self._pending = None
        self._pace.restart()
        self._become(State.STARTING, f"loading {self._task.run.title}")

    def _load(self, settings: VariantSettings, command: int) -> None:
        self._trainer = self._generations.begin(settings, self._number, self._planned(command))
        self._generations.evaluate_first(self._trainer)
        self._keeper.keep(self._trainer)

    # --- From a point that was reached before ---------------------------------------------------

    def _begin_again(self, command: Restart | Rewind) -> None:
        """Start the next generation, unless the point where it should begin was never reached."""
        if isinstance(command, Restart):
            self._begin(command.settings, command=command.id)
            return
        from engine.log.lineage.points import PointError

        point = Point(generation=command.generation, batches=command.batches)
        try:
            reached = self._generations.find(point)
        except PointError as error:
            self._recorder.write(Refused(detail=str(error), command=command.id))
        else:
            self._begin_after(reached, command.settings, command=command.id)

    def _begin_at(self, point: Point, settings: VariantSettings, past: Past | None) -> None:
        """Start the first generation of this worker after a point, or else go on with `past`."""
        from engine.log.lineage.points import PointError
        from engine.problem import ProblemError

        def begin() -> None:
            try:
                reached = self._generations.find(point)
            except PointError as error:
                if past is None:
                    raise ProblemError(str(error)) from None
                self._recorder.write(Refused(detail=str(error), command=0))
                self._resume(past)
            else:
                self._begin_after(reached, settings)

        self._guarded(begin)

    def _begin_after(
        self, reached: Reached, settings: VariantSettings, *, command: int = 0
    ) -> None:
        if reached.origin is None:
            self._begin(settings, command=command)
            return
        self._leave(self._number + 1)
        planned = self._planned(command)
        self._guarded(lambda: self._set_out(self._generations.begin_after(
            reached, settings, self._number, planned)))  # fmt: skip

    def _resume(self, past: Past) -> None:
        """Go on with the generation of an earlier worker, where its log ends."""
        self._leave(past.generation)
        self._guarded(lambda: self._set_out(self._generations.resume(past.generation)))

    def _set_out(self, repetition: Repetition) -> None:
        self._repetition, self._shown_at = repetition, 0.0

    def _repeat(self, repetition: Repetition) -> None:
        """Train a slice again on the way to the point from which training goes on."""
        self._repetition = None  # in case of an error
        if not repetition.advance():
            self._repetition = repetition
            if time.perf_counter() - self._shown_at >= _SHOW_SECONDS:
                self._shown_at = time.perf_counter()
                self._become(State.STARTING, repetition.progress)
            return
        trainer = self._trainer = self._generations.arrive(repetition, self._planned())
        if repetition.is_new:
            self._keeper.keep(trainer)
        ended = self._generations.end_of(trainer, repetition.past, self._epochs)
        self._become(ended or (State.PAUSED if self._is_held else State.RUNNING))


def point_of(command: Restart | Rewind) -> Point | None:
    """The point after which a command begins a generation; None for the initial weights."""
    if isinstance(command, Restart):
        return None
    return Point(generation=command.generation, batches=command.batches)
