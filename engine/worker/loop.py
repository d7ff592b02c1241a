"""The main loop of a worker: when to obey commands, train, evaluate and measure.

The training itself is in engine.training. This module imports torch only when it begins to train,
so that the process that starts workers does not need it.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from engine.log.commands import (
    Add,
    AnyCommand,
    Change,
    Extend,
    Fork,
    Keep,
    Measure,
    Pause,
    Remove,
    Restart,
    Resume,
    Rewind,
    SetMeasuring,
    SetPace,
    Share,
    StepOnce,
    Stop,
)
from engine.log.records import End, State
from engine.worker.lifetime.succession import Succession, point_of
from engine.worker.mailbox import Mailbox
from engine.worker.pace import epochs_per_update
from engine.worker.protocol import DeviceLost, WorkerTask
from engine.worker.recording.recorder import RETRY_SECONDS, Recorder
from engine.worker.slices import apply_change, finish_group, train_slice
from engine.worker.weights_check import WeightsCheck

if TYPE_CHECKING:
    from engine.log.lineage.past import Past
    from engine.training.trainer import Trainer


class Training(Succession):
    """Trains a variant as commanded, one generation after another."""

    def __init__(
        self,
        task: WorkerTask,
        mailbox: Mailbox,
        recorder: Recorder,
        generation: int,
        past: Past | None = None,
    ) -> None:
        """`generation`: the last one of earlier workers. `past`: go on with that, if not None."""
        super().__init__(task, mailbox, recorder, generation)
        self._past = past
        self._weights_check = WeightsCheck()

    def run(self) -> None:
        """Train and obey commands until Stop; then close the log."""
        if self._task.origin is not None:
            self._begin_at(self._task.origin, self._task.variant.settings, self._past)
        elif self._past is not None:
            self._resume(self._past)
        else:
            self._begin(self._task.variant.settings)
        while True:
            if (wait := self._wait()) != 0.0:
                self._recorder.flush()
            for command in self._mailbox.take(wait):
                if isinstance(command, Stop):
                    self._end(is_asked=command.id > 0)
                    return
                self._recorder.heard = command.id
                if isinstance(command, Restart | Rewind) and self._has_lost_device:
                    origin = point_of(command)
                    self._mailbox.send(DeviceLost(settings=command.settings, origin=origin))
                    return
                self._obey(command)
            if self._recorder.is_gone and self._recorder.unblock(by_itself=True):
                self._pace.restart()  # the pace need not make up for the time without a log
            self._guarded(self._train)
            if self._trainer is not None and not self._recorder.is_blocked:
                self._measurer.look(self._trainer, self._state)

    def _end(self, *, is_asked: bool) -> None:
        if not self._state.is_ended:
            with self._keeper.ending:
                if is_asked:  # by a session, which gives it the time, unlike one that was killed
                    self._guarded(partial(finish_group, self._trainer, self._pace, self._recorder))
                self._catch_up()
                self._become(State.STOPPED)
                self._keeper.keep(self._trainer)
        self._recorder.write(End())
        self._keeper.wait()

    # --- Commands -------------------------------------------------------------------------------

    def _obey(self, command: AnyCommand) -> None:
        match command:
            case Change():
                self._pending = command
            case Restart() | Rewind():
                self._begin_again(command)
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
            case Keep() | Share():
                self._keeper.obey(command)
            case Stop() | Fork() | Add() | Remove():
                raise AssertionError("the session carries it out, and run() ends on Stop")

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
        self._recorder.write(self._planned(command.id))
        if isinstance(command, Extend) and self._state is State.FINISHED:
            self._become(State.PAUSED if self._is_held else State.RUNNING)

    # --- Training -------------------------------------------------------------------------------

    def _wait(self) -> float | None:
        """Seconds until there is something to train or measure; None means wait for a command."""
        trainer = self._trainer
        if self._repetition is not None and not self._recorder.is_blocked:
            return 0.0
        if trainer is None or self._recorder.is_blocked:
            return RETRY_SECONDS if self._recorder.is_gone else None
        measuring = self._measurer.wait(trainer.updates, self._state)
        if self._state is not State.RUNNING:
            return measuring
        training = 0.0 if self._is_held or trainer.in_group else self._pace.wait(trainer)
        return training if measuring is None else min(training, measuring)

    def _train(self) -> None:
        """Do one slice of work, if there is any to do now."""
        if self._repetition is not None and not self._recorder.is_blocked:
            self._repeat(self._repetition)
        trainer = self._trainer
        if trainer is None:
            return
        if self._pending is not None and not trainer.in_group:
            change, self._pending = self._pending, None
            self._keeper.keep(trainer)
            apply_change(trainer, change, self._recorder)
        self._keeper.look(trainer)
        self._close_epoch(trainer)  # with drop_last, new settings can end the epoch
        if self._state is not State.RUNNING or self._recorder.is_blocked:
            return
        self._step.look(trainer, self._updates_left(trainer), self._pace.value)
        if not (batches := self._batches_due(trainer)):
            return
        begins_epoch, processor = trainer.at_epoch_end, time.thread_time()
        if (chunk := train_slice(trainer, batches, self._pace, self._recorder)) is None:
            return
        self._step.count(chunk, time.thread_time() - processor)
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
        if trainer.in_group and self._keeper.is_due(trainer):
            due = min(trainer.batches_for(1), due)  # a checkpoint lies between groups
        due = min(due, self._evaluator.batches_until_validation(trainer) or due)
        return trainer.without_remainder(due)

    def _updates_left(self, trainer: Trainer) -> float:
        """Updates of the plan that are not done."""
        epochs = self._epochs - trainer.epochs_done
        return epochs / epochs_per_update(trainer.resolved, trainer.n)

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
        if (trainer := self._trainer) is not None and self._evaluator.is_due(trainer):
            self._guarded(lambda: self._evaluator.evaluate(trainer, always_full=False))

    def _keep_weights(self, trainer: Trainer) -> None:
        """Record the weights periodically; at the end, record and measure them."""
        is_last = self._state is State.FINISHED
        if is_last:
            self._keeper.keep(trainer)
        if is_last and self._measurer.is_on:
            self._measurer.ask(is_last=True)
        self._recorder.keep_weights(trainer, is_last=is_last)
