"""One variant trained as it is told: commands in, chunks of losses out, generation after generation.

Imports torch only once it trains, so that the process that starts workers need not have it.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from engine.mailbox import Mailbox
from engine.messages import (
    AnyCommand,
    Change,
    Changed,
    Chunk,
    End,
    Evaluation,
    Extend,
    Pause,
    Planned,
    Refused,
    Restart,
    Resume,
    SetPace,
    Started,
    State,
    StateChanged,
    StepOnce,
    Stop,
    WorkerTask,
)
from engine.pace import Pacer, epochs_per_update
from engine.recorder import Recorder
from engine.settings import SettingsError, VariantSettings

if TYPE_CHECKING:
    from engine.problem import Problem
    from engine.trainer import Trainer

CHUNK_SECONDS: Final = 0.03
"""Training time that one chunk aims at: how old a loss on screen is, and how long a command waits."""


class Training:
    """Trains one variant as it is told to, generation after generation."""

    def __init__(self, task: WorkerTask, mailbox: Mailbox, recorder: Recorder, generation: int) -> None:
        self._task = task
        self._mailbox = mailbox
        self._recorder = recorder
        self._generation = generation
        self._epochs = task.epochs
        self._pace = task.pace
        self._state = State.STARTING
        self._problem: Problem | None = None
        self._trainer: Trainer | None = None
        self._pending: Change | None = None
        self._pacer: Pacer | None = None
        self._stepping = False
        self._seconds = 0.0
        self._evaluated_epoch = -1
        self._chunk_batches = 1
        self._slice_start = 0.0
        self._weights_checked = 0.0

    def run(self) -> None:
        """Train and obey until told to stop; then close the log."""
        self._begin(self._task.variant.settings)
        while True:
            for command in self._mailbox.take(self._wait()):
                if isinstance(command, Stop):
                    self._end()
                    return
                self._obey(command)
            self._guarded(self._train)

    def _guarded(self, do: Callable[[], None]) -> None:
        """Call `do`; whatever the user's problem or device throws becomes the variant's state."""
        try:
            do()
        except SettingsError as error:
            self._become(State.FAILED, str(error), is_wrong_call=True)
        except Exception as error:
            from engine.devices import is_out_of_memory

            text = f"{type(error).__name__}: {error}"
            state = State.OUT_OF_MEMORY if is_out_of_memory(error) else State.FAILED
            traceback.print_exc()  # into the worker's output file, too
            self._become(state, text.splitlines()[0], traceback=traceback.format_exc())

    # --- Generations ----------------------------------------------------------------------------

    def _begin(self, settings: VariantSettings, *, command: int = 0) -> None:
        """Start the next generation from the first weights."""
        self._generation += 1
        self._trainer = self._pending = self._pacer = None
        self._stepping = False
        self._seconds, self._evaluated_epoch = 0.0, -1
        self._become(State.STARTING, f"loading {self._task.run.problem}")
        self._guarded(lambda: self._load(settings, command))
        if self._trainer is not None and self._state is State.STARTING:
            self._become(State.RUNNING)

    def _load(self, settings: VariantSettings, command: int) -> None:
        import torch

        from engine import problems
        from engine.devices import find_device
        from engine.modelling import describe
        from engine.trainer import Trainer

        run = self._task.run
        torch.set_num_threads(self._task.threads)
        device = find_device(run.device)
        if self._problem is None:
            self._problem = problems.load(run.problem, run.seed)
        trainer = Trainer(self._problem, settings, run.seed, device)
        self._recorder.write(
            Started(
                generation=self._generation,
                settings=settings,
                n=trainer.n,
                model=describe(trainer.model),
                parameters=sum(parameter.numel() for parameter in trainer.model.parameters()),
                device=str(device),
                threads=self._task.threads,
                epochs=self._epochs,
                pace=self._pace,
                command=command,
            )
        )
        self._trainer = trainer
        self._evaluate(trainer)

    def _end(self) -> None:
        if self._state in (State.STARTING, State.RUNNING, State.PAUSED):
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
                if self._state is State.RUNNING:
                    self._become(State.PAUSED, command=command.id)
            case Resume() | StepOnce():
                self._go_on(command)
            case SetPace():
                self._pace, self._pacer = command.pace, None
                self._plan(command.id)
            case Extend():
                self._epochs = command.epochs
                self._plan(command.id)
                if self._state is State.FINISHED:
                    self._become(State.RUNNING)
            case Stop():
                raise AssertionError("run() ends on Stop")

    def _go_on(self, command: Resume | StepOnce) -> None:
        if not self._recorder.unblock():
            return
        if self._state in (State.PAUSED, State.RUNNING):
            self._stepping = isinstance(command, StepOnce)
            self._pacer = None
            self._become(State.RUNNING, command=command.id)

    def _plan(self, command: int) -> None:
        self._recorder.write(Planned(epochs=self._epochs, pace=self._pace, command=command))

    def _apply_pending(self, trainer: Trainer) -> None:
        """Put changed settings in force, if a group has just ended."""
        change = self._pending
        if change is None or trainer.in_group:
            return
        self._pending = None
        try:
            note = trainer.change(change.settings)
        except SettingsError as error:
            self._recorder.write(Refused(detail=str(error), command=change.id))
            return
        self._recorder.write(
            Changed(
                generation=self._generation,
                settings=change.settings,
                epoch=max(trainer.epoch, 1),
                batch=trainer.batches + 1,
                update=trainer.updates + 1,
                samples=trainer.samples,
                seconds=self._seconds,
                note=note,
                command=change.id,
            )
        )

    # --- Training -------------------------------------------------------------------------------

    def _wait(self) -> float | None:
        """Seconds until there is something to train; None: nothing before the next command."""
        trainer = self._trainer
        if self._state is not State.RUNNING or trainer is None or self._recorder.is_blocked:
            return None
        pacer = self._current_pacer(trainer)
        if pacer is None or self._stepping or trainer.in_group:
            return 0.0
        due = max(pacer.starts_at(trainer.epochs_done), self._slice_start + CHUNK_SECONDS)
        return max(due - time.perf_counter(), 0.0)

    def _current_pacer(self, trainer: Trainer) -> Pacer | None:
        if self._pace is not None and self._pacer is None:
            self._pacer = Pacer(self._pace, time.perf_counter(), trainer.epochs_done)
        return self._pacer

    def _train(self) -> None:
        """Do one slice of work, if there is any to do now."""
        trainer = self._trainer
        if trainer is None:
            return
        self._apply_pending(trainer)
        self._close_epoch(trainer)  # with drop_last, other settings can end it
        if self._state is not State.RUNNING or self._recorder.is_blocked:
            return
        if not (batches := self._batches_due(trainer)):
            return
        self._slice_start = time.perf_counter()
        stretch = trainer.advance(batches)
        now = time.perf_counter()
        duration = now - self._slice_start
        if self._pacer is not None:
            self._pacer.note_progress(now, trainer.epochs_done)
        chunk = Chunk(
            generation=self._generation,
            epoch=stretch.epoch,
            batch=stretch.batch,
            update=stretch.update,
            in_update=stretch.in_update,
            samples=stretch.samples,
            seconds=self._seconds,
            duration=duration,
            batch_size=stretch.batch_size,
            last_batch_size=stretch.last_batch_size,
            accumulation_steps=stretch.accumulation_steps,
            lr=stretch.lr,
            behind=self._pacer is not None and self._pacer.behind,
            losses=stretch.losses,
        )
        self._seconds += duration
        self._recorder.write(chunk)
        self._chunk_batches = _fitting_batches(chunk.batches, duration)
        self._conclude(trainer, is_finite=stretch.is_finite)

    def _batches_due(self, trainer: Trainer) -> int:
        """How many batches may be trained now, at most one chunk of them."""
        if self._stepping:
            return min(trainer.batches_left_in_update, self._chunk_batches)
        if self._pacer is None:
            return self._chunk_batches
        share = epochs_per_update(trainer.resolved, trainer.n)
        updates = self._pacer.updates_due(time.perf_counter(), trainer.epochs_done, share)
        if trainer.in_group:
            updates = max(updates, 1)
        steps = trainer.resolved.accumulation_steps
        due = updates * steps - (steps - trainer.batches_left_in_update)
        return min(due, self._chunk_batches)

    def _conclude(self, trainer: Trainer, *, is_finite: bool) -> None:
        """After a slice: has it diverged, ended an epoch, ended the run, done its one update?"""
        if not is_finite or not self._has_finite_weights(trainer):
            self._become(State.DIVERGED, "the loss or a weight is not finite: a smaller lr, then restart")
            return
        self._close_epoch(trainer)
        if self._stepping and not trainer.in_group and self._state is State.RUNNING:
            self._stepping = False
            self._become(State.PAUSED, "one update done")

    def _has_finite_weights(self, trainer: Trainer) -> bool:
        """Asked once a chunk's time at most: a loss tells nearly always, and asking costs a pass."""
        if self._slice_start - self._weights_checked < CHUNK_SECONDS and trainer.epoch < self._epochs:
            return True
        self._weights_checked = self._slice_start
        return trainer.has_finite_weights()

    def _close_epoch(self, trainer: Trainer) -> None:
        if trainer.at_epoch_end and self._evaluated_epoch < trainer.epoch:
            self._evaluate(trainer)
            if trainer.epoch >= self._epochs and self._state is State.RUNNING:
                self._become(State.FINISHED)

    def _evaluate(self, trainer: Trainer) -> None:
        self._evaluated_epoch = trainer.epoch
        self._recorder.write(
            Evaluation(
                generation=self._generation,
                epoch=trainer.epoch,
                batches=trainer.batches,
                updates=trainer.updates,
                samples=trainer.samples,
                seconds=self._seconds,
                full_loss=trainer.full_loss(),
            )
        )

    # --- Log ------------------------------------------------------------------------------------

    def _become(
        self,
        state: State,
        detail: str = "",
        *,
        traceback: str = "",
        is_wrong_call: bool = False,
        command: int = 0,
    ) -> None:
        self._state = state
        self._recorder.write(
            StateChanged(
                generation=self._generation,
                state=state,
                detail=detail,
                traceback=traceback,
                is_wrong_call=is_wrong_call,
                command=command,
            )
        )


def _fitting_batches(batches: int, duration: float) -> int:
    """Batches of the next chunk, from what the last one took; at most fourfold at a time."""
    return max(1, min(int(batches * CHUNK_SECONDS / max(duration, 1e-6)), batches * 4))
