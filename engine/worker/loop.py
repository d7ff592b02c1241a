"""The main loop of a worker: when to obey commands, train, evaluate and measure.

The training itself is in engine.training. This module imports torch only when it begins to train,
so that the process that starts workers does not need it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from engine.log.commands import (
    AnyCommand,
    Change,
    Extend,
    Measure,
    Pause,
    Restart,
    Resume,
    SetMeasuring,
    SetPace,
    StepOnce,
    Stop,
)
from engine.log.records import Chunk, End, Planned, Refused, State, StateChanged
from engine.settings import SettingsError, VariantSettings
from engine.worker.evaluation import Evaluator
from engine.worker.lifetime.failures import failure_of
from engine.worker.lifetime.workplace import Workplace
from engine.worker.mailbox import Mailbox
from engine.worker.pace import Pace
from engine.worker.protocol import DeviceLost, WorkerTask
from engine.worker.recording.recorder import RETRY_SECONDS, Recorder
from engine.worker.weights_check import WeightsCheck

if TYPE_CHECKING:
    from engine.training.trainer import Trainer


class Training:
    """Trains a variant as commanded, one generation after another."""

    def __init__(
        self, task: WorkerTask, mailbox: Mailbox, recorder: Recorder, generation: int
    ) -> None:
        self._task = task
        self._mailbox = mailbox
        self._recorder = recorder
        self._number = generation
        self._epochs = task.epochs
        self._pace = Pace(task.pace)
        self._state = State.STARTING
        self._workplace = Workplace(task)
        self._trainer: Trainer | None = None
        self._pending: Change | None = None
        self._is_held = task.is_paused
        """True if paused, or if it will pause after this update; restart and Extend keep it."""
        self._has_lost_device = False
        """True if no call on the device can succeed in this process any more."""
        self._weights_check = WeightsCheck()
        self._evaluator = Evaluator(recorder.write, task.run.validate_every)
        # Imported here since it imports numpy, for which the session's process need not wait.
        from engine.worker.measuring.measurer import Measurer

        self._measurer = Measurer(recorder.write, is_on=task.measuring)

    def run(self) -> None:
        """Train and obey commands until Stop; then close the log."""
        self._begin(self._task.variant.settings)
        while True:
            if (wait := self._wait()) != 0.0:
                self._recorder.flush()
            for command in self._mailbox.take(wait):
                if isinstance(command, Stop):
                    self._end()
                    return
                self._recorder.heard = command.id
                if isinstance(command, Restart) and self._has_lost_device:
                    self._mailbox.send(DeviceLost(settings=command.settings))
                    return
                self._obey(command)
            if self._recorder.is_gone and self._recorder.unblock(by_itself=True):
                self._pace.restart()  # the pace need not make up for the time without a log
            self._guarded(self._train)
            if self._trainer is not None and not self._recorder.is_blocked:
                self._measurer.look(self._trainer, self._state)

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

    # --- Generations ----------------------------------------------------------------------------

    def _begin(self, settings: VariantSettings, *, command: int = 0) -> None:
        """Start the next generation from the initial weights."""
        self._number += 1
        self._trainer = self._pending = None
        self._pace.restart()
        self._become(State.STARTING, f"loading {self._task.run.title}")
        self._guarded(lambda: self._load(settings, command))
        if self._trainer is not None and self._state is State.STARTING:
            self._become(State.PAUSED if self._is_held else State.RUNNING)

    def _load(self, settings: VariantSettings, command: int) -> None:
        """Make the generation's trainer; the first one opens the problem."""
        trainer, taken = self._workplace.make_trainer(settings, self._number, self._epochs)
        self._recorder.write_start(
            trainer,
            threads=self._task.threads,
            epochs=self._epochs,
            pace=self._pace.value,
            audit=self._task.run.audit,
            command=command,
            device=taken.label,
            device_note=taken.note,
        )
        self._trainer = trainer
        self._evaluator.begin()
        self._evaluator.evaluate_first(trainer)
        self._measurer.begin()
        self._recorder.begin_trail(trainer)

    def _end(self) -> None:
        if not self._state.is_ended:
            self._catch_up()
            self._become(State.STOPPED)
        self._recorder.write(End())

    # --- Commands -------------------------------------------------------------------------------

    def _obey(self, command: AnyCommand) -> None:
        match command:
            case Change():
                self._pending = command
            case Restart():
                self._begin(command.settings, command=command.id)
            case Pause():
                self._is_held = True
                if self._state is State.RUNNING:
                    self._catch_up()
                    self._become(State.PAUSED, command=command.id)
            case Resume() | StepOnce():
                self._go_on(command)
            case SetPace() | Extend():
                self._plan(command)
            case Measure() | SetMeasuring():
                self._measurer.obey(command, self._state)
            case Stop():
                raise AssertionError("run() ends on Stop")

    def _go_on(self, command: Resume | StepOnce) -> None:
        if not self._recorder.unblock():
            return
        self._is_held = isinstance(command, StepOnce)
        if self._state in (State.PAUSED, State.RUNNING):
            self._pace.restart()
            self._become(State.RUNNING, command=command.id)

    def _plan(self, command: SetPace | Extend) -> None:
        if isinstance(command, SetPace):
            self._pace.set(command.pace)
        else:
            self._epochs = command.epochs
            if self._trainer is not None:
                self._trainer.plan(command.epochs)
        planned = Planned(epochs=self._epochs, pace=self._pace.value, command=command.id)
        self._recorder.write(planned)
        if isinstance(command, Extend) and self._state is State.FINISHED:
            self._become(State.PAUSED if self._is_held else State.RUNNING)

    # --- Training -------------------------------------------------------------------------------

    def _wait(self) -> float | None:
        """Seconds until there is something to train or measure; None means wait for a command."""
        trainer = self._trainer
        if trainer is None or self._recorder.is_blocked:
            return RETRY_SECONDS if self._recorder.is_gone else None
        measuring = self._measurer.wait(trainer.updates, self._state)
        if self._state is not State.RUNNING:
            return measuring
        training = 0.0 if self._is_held or trainer.in_group else self._pace.wait(trainer)
        return training if measuring is None else min(training, measuring)

    def _train(self) -> None:
        """Do one slice of work, if there is any to do now."""
        trainer = self._trainer
        if trainer is None:
            return
        if self._pending is not None and not trainer.in_group:
            change, self._pending = self._pending, None
            self._change(trainer, change)
        self._close_epoch(trainer)  # with drop_last, new settings can end the epoch
        if self._state is not State.RUNNING or self._recorder.is_blocked:
            return
        if not (batches := self._batches_due(trainer)):
            return
        begins_epoch = trainer.at_epoch_end
        if (chunk := self._advance(trainer, batches)) is None:
            return
        is_whole = begins_epoch and trainer.at_epoch_end and trainer.last_loss_is_finite
        self._recorder.write_losses(chunk, is_whole_epoch=is_whole)
        self._evaluator.validate_if_due(trainer)
        self._conclude(trainer)
        self._keep_weights(trainer)

    def _batches_due(self, trainer: Trainer) -> int:
        """Batches that may be trained now, at most one slice of them."""
        due = self._pace.batches_due(trainer)
        if self._is_held:
            due = min(trainer.batches_for(1), self._pace.chunk_batches)
        return min(due, self._evaluator.batches_until_validation(trainer) or due)

    def _advance(self, trainer: Trainer, batches: int) -> Chunk | None:
        """Train this many batches; None if memory ran out and the trainer went back a step."""
        self._pace.begin_slice()
        try:
            chunk = trainer.advance(batches)
        except Exception as error:
            self._recorder.write_change(trainer, note=trainer.retreat(error))
            return None
        self._pace.end_slice(trainer, chunk)
        return replace(chunk, behind=self._pace.is_behind)

    def _change(self, trainer: Trainer, change: Change) -> None:
        """Apply new settings, or record why they are refused; called only between groups."""
        try:
            note = trainer.change(change.settings)
        except SettingsError as error:
            self._recorder.write(Refused(detail=str(error), command=change.id))
        else:
            self._recorder.write_change(trainer, note, change.id)

    def _conclude(self, trainer: Trainer) -> None:
        """Act after a slice: on divergence, the end of an epoch or of the run, a single update."""
        if not trainer.last_loss_is_finite or not self._has_finite_weights(trainer):
            self._become(
                State.DIVERGED, "the loss or a weight is not finite: lower the lr, then restart"
            )
            return
        self._close_epoch(trainer)
        if self._is_held and not trainer.in_group and self._state is State.RUNNING:
            self._become(State.PAUSED, "one update done")

    def _has_finite_weights(self, trainer: Trainer) -> bool:
        """False if a weight was found not to be finite; those at the end are always checked."""
        is_last = trainer.at_epoch_end and trainer.epoch >= self._epochs
        return not self._weights_check.has_failed(trainer, is_last=is_last)

    def _close_epoch(self, trainer: Trainer) -> None:
        if self._evaluator.is_due(trainer):
            is_last = trainer.epoch >= self._epochs
            if not (is_last or self._evaluator.is_affordable):
                return
            self._evaluator.evaluate(trainer, always_full=is_last)
            if is_last and self._state is State.RUNNING:
                self._become(State.FINISHED)

    def _catch_up(self) -> None:
        """Evaluate when training halts at an epoch end, even soon after the last evaluation."""
        trainer = self._trainer
        if trainer is not None and self._evaluator.is_due(trainer):
            self._guarded(lambda: self._evaluator.evaluate(trainer, always_full=False))

    def _keep_weights(self, trainer: Trainer) -> None:
        """Record the weights periodically; at the end, record and measure them."""
        is_last = self._state is State.FINISHED
        if is_last and self._measurer.is_on:
            self._measurer.ask(is_last=True)
        self._recorder.keep_weights(trainer, is_last=is_last)

    # --- Log ------------------------------------------------------------------------------------

    def _become(self, state: State, detail: str = "", *, command: int = 0) -> None:
        self._state = state
        self._recorder.write(
            StateChanged(generation=self._number, state=state, detail=detail, command=command)
        )
