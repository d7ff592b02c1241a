"""One variant trained as it is told: commands in, chunks of losses out, generation after generation.

Imports torch only once it trains, so that the process that starts workers need not have it.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

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
from engine.log.records import End, Planned, Started, State, StateChanged
from engine.problems.error_messages import explain
from engine.problems.user_file import file_of
from engine.settings import SettingsError, VariantSettings
from engine.worker.generation import Generation
from engine.worker.mailbox import Mailbox
from engine.worker.pace import Pacer, epochs_per_update
from engine.worker.protocol import WorkerTask
from engine.worker.recorder import Recorder

if TYPE_CHECKING:
    from engine.problem import Problem
    from engine.training.trainer import Trainer

CHUNK_SECONDS: Final = 0.03
"""Training time that one chunk aims at: how old a loss on screen is, and how long a command waits."""


class Training:
    """Trains one variant as it is told to, generation after generation."""

    def __init__(self, task: WorkerTask, mailbox: Mailbox, recorder: Recorder, generation: int) -> None:
        self._task = task
        self._mailbox = mailbox
        self._recorder = recorder
        self._number = generation
        self._epochs = task.epochs
        self._pace = task.pace
        self._state = State.STARTING
        self._problem: Problem | None = None
        self._generation: Generation | None = None
        self._pending: Change | None = None
        self._pacer: Pacer | None = None
        self._is_held = task.is_paused
        """Paused, or to be after the update at hand; a restart and more epochs leave it so."""
        self._chunk_batches = 1
        self._slice_start = 0.0
        self._weights_checked = 0.0
        from engine.worker.observer import (
            Observer,  # brings numpy, which the session's process need not wait for
        )

        self._observer = Observer(task, recorder)

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
            self._observer.look(self._state, self._generation)

    def _guarded(self, do: Callable[[], None]) -> None:
        """Call `do`; whatever the user's problem or device throws becomes the variant's state."""
        try:
            do()
        except SettingsError as error:
            self._become(State.FAILED, self._explained(error), is_usage_error=True)
        except Exception as error:
            from engine.training.devices import is_out_of_memory

            state = State.OUT_OF_MEMORY if is_out_of_memory(error) else State.FAILED
            traceback.print_exc()  # into the worker's output file, too
            self._become(state, self._explained(error), traceback=traceback.format_exc())

    def _explained(self, error: Exception) -> str:
        return explain(error, file_of(self._task.run.problem), is_short=True)

    # --- Generations ----------------------------------------------------------------------------

    def _begin(self, settings: VariantSettings, *, command: int = 0) -> None:
        """Start the next generation from the first weights."""
        self._number += 1
        self._generation = self._pending = self._pacer = None
        self._become(State.STARTING, f"loading {self._task.run.title}")
        self._guarded(lambda: self._load(settings, command))
        if self._generation is not None and self._state is State.STARTING:
            self._become(State.PAUSED if self._is_held else State.RUNNING)

    def _load(self, settings: VariantSettings, command: int) -> None:
        import torch

        from engine.problems.opening import make_trainer, open_problem
        from engine.training.devices import find_device
        from engine.training.model import count_parameters, describe

        task = self._task
        torch.set_num_threads(task.threads)
        device = find_device(task.device)
        if self._problem is None:
            stored = Path(task.stored) if task.stored else None
            self._problem = open_problem(task.run.problem, task.run.seed, task.run.data, stored)
        trainer = make_trainer(self._problem, settings, task.run, device, sharing=task.sharing)
        self._recorder.write(
            Started(
                generation=self._number,
                settings=settings,
                n=trainer.n,
                model=describe(trainer.model),
                parameters=count_parameters(trainer.model),
                device=str(device),
                threads=task.threads,
                epochs=self._epochs,
                pace=self._pace,
                command=command,
            )
        )
        self._generation = Generation(self._number, trainer, self._recorder, task.run.validate_every)
        self._generation.evaluate(wholly=True)
        self._observer.begin(self._generation)

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
                self._is_held = True
                if self._state is State.RUNNING:
                    self._become(State.PAUSED, command=command.id)
            case Resume() | StepOnce():
                self._go_on(command)
            case SetPace() | Extend():
                self._plan(command)
            case Measure() | SetMeasuring():
                self._observer.obey(command, self._state)
            case Stop():
                raise AssertionError("run() ends on Stop")

    def _go_on(self, command: Resume | StepOnce) -> None:
        if not self._recorder.unblock():
            return
        self._is_held = isinstance(command, StepOnce)
        if self._state in (State.PAUSED, State.RUNNING):
            self._pacer = None
            self._become(State.RUNNING, command=command.id)

    def _plan(self, command: SetPace | Extend) -> None:
        if isinstance(command, SetPace):
            self._pace, self._pacer = command.pace, None
        else:
            self._epochs = command.epochs
        self._recorder.write(Planned(epochs=self._epochs, pace=self._pace, command=command.id))
        if isinstance(command, Extend) and self._state is State.FINISHED:
            self._become(State.PAUSED if self._is_held else State.RUNNING)

    # --- Training -------------------------------------------------------------------------------

    def _wait(self) -> float | None:
        """Seconds until there is something to train or measure; None: nothing before the next command."""
        waits = (self._train_wait(), self._observer.wait(self._state, self._generation))
        return min((wait for wait in waits if wait is not None), default=None)

    def _train_wait(self) -> float | None:
        if self._state is not State.RUNNING or self._generation is None or self._recorder.is_blocked:
            return None
        trainer = self._generation.trainer
        pacer = self._current_pacer(trainer)
        if pacer is None or self._is_held or trainer.in_group:
            return 0.0
        due = max(pacer.starts_at(trainer.epochs_done), self._slice_start + CHUNK_SECONDS)
        return max(due - time.perf_counter(), 0.0)

    def _current_pacer(self, trainer: Trainer) -> Pacer | None:
        if self._pace is not None and self._pacer is None:
            self._pacer = Pacer(self._pace, time.perf_counter(), trainer.epochs_done)
        return self._pacer

    def _train(self) -> None:
        """Do one slice of work, if there is any to do now."""
        generation = self._generation
        if generation is None:
            return
        trainer = generation.trainer
        if self._pending is not None and not trainer.in_group:
            change, self._pending = self._pending, None
            generation.change(change)
        self._close_epoch(generation)  # with drop_last, other settings can end it
        if self._state is not State.RUNNING or self._recorder.is_blocked:
            return
        if not (batches := self._batches_due(trainer)):
            return
        self._slice_start = time.perf_counter()
        batches = min(batches, generation.most_batches() or batches)
        done = generation.advance(batches)
        if done is None:
            return
        stretch, duration = done
        if self._pacer is not None:
            self._pacer.note_progress(self._slice_start + duration, trainer.epochs_done)
        generation.record(stretch, duration, behind=self._pacer is not None and self._pacer.behind)
        self._chunk_batches = _fitting_batches(len(stretch.losses) // 4, duration)
        self._conclude(generation, is_finite=stretch.is_finite)
        self._observer.note(generation, self._state)

    def _batches_due(self, trainer: Trainer) -> int:
        """How many batches may be trained now, at most one chunk of them."""
        if self._is_held:
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

    def _conclude(self, generation: Generation, *, is_finite: bool) -> None:
        """After a slice: has it diverged, ended an epoch, ended the run, done its one update?"""
        trainer = generation.trainer
        if not is_finite or not self._has_finite_weights(trainer):
            self._become(State.DIVERGED, "the loss or a weight is not finite: a smaller lr, then restart")
            return
        self._close_epoch(generation)
        if self._is_held and not trainer.in_group and self._state is State.RUNNING:
            self._become(State.PAUSED, "one update done")

    def _has_finite_weights(self, trainer: Trainer) -> bool:
        """Asked once a chunk's time at most: a loss tells nearly always, and asking costs a pass."""
        if self._slice_start - self._weights_checked < CHUNK_SECONDS and trainer.epoch < self._epochs:
            return True
        self._weights_checked = self._slice_start
        return trainer.has_finite_weights()

    def _close_epoch(self, generation: Generation) -> None:
        if generation.must_evaluate:
            is_last = generation.trainer.epoch >= self._epochs
            generation.evaluate(wholly=is_last)
            if is_last and self._state is State.RUNNING:
                self._become(State.FINISHED)

    # --- Log ------------------------------------------------------------------------------------

    def _become(
        self,
        state: State,
        detail: str = "",
        *,
        traceback: str = "",
        is_usage_error: bool = False,
        command: int = 0,
    ) -> None:
        self._state = state
        self._recorder.write(
            StateChanged(
                generation=self._number,
                state=state,
                detail=detail,
                traceback=traceback,
                is_usage_error=is_usage_error,
                command=command,
            )
        )


def _fitting_batches(batches: int, duration: float) -> int:
    """Batches of the next chunk, from what the last one took; at most fourfold at a time."""
    return max(1, min(int(batches * CHUNK_SECONDS / max(duration, 1e-6)), batches * 4))
