"""The record of a training by a Trainer: its micro-batches, updates, metrics and orders.

No fault in here reaches the Trainer: the record ends, with one warning, and the training goes on.
"""

import contextlib
import os
import traceback
from collections.abc import Callable, Mapping
from functools import update_wrapper
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol

from msgspec.structs import replace
from torch.optim import Optimizer

from engine.log.records import State
from engine.settings import Resolved, VariantSettings
from engine.tracking.beginning import Arguments, LoopParts, begin
from engine.tracking.journal import Journal
from engine.tracking.lifetime import forget, remember, uncaught
from engine.tracking.loop.updates import Updates
from engine.tracking.opening import is_off
from engine.tracking.record.background import OneWarning
from engine.tracking.trainers.evaluation import evaluation_of, numbers_of
from engine.tracking.trainers.plan import TrainingPlan

P = ParamSpec("P")
Method = Callable[Concatenate["TrainerRecord", P], None]


def guarded(method: Method[P]) -> Method[P]:
    """Have a fault in the method end the record, and nothing else."""

    def guard(self: "TrainerRecord", /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            method(self, *args, **kwargs)
        except Exception as error:
            self.give_up(error)

    return update_wrapper(guard, method)


class AccumulationLever(Protocol):
    """The means by which keys change a Trainer's accumulation."""

    def delay(self, steps: int) -> int:
        """Micro-batches that come before groups of this many can begin."""

    def accumulate(self, steps: int) -> None:
        """Accumulate over this many micro-batches from the next one on."""


class TrainerRecord:
    """A training by a Trainer, recorded as a variant of a run."""

    def __init__(self, *, name: str | None, run_dir: str | os.PathLike[str] | None) -> None:
        """`name` and `run_dir`: see `gdtui.track`."""
        self._name, self._run_dir = name, run_dir
        self._plan: TrainingPlan | None = None
        self._arguments = Arguments(accumulation=1, name=name, run_dir=run_dir, version="")
        self._updates: Updates | None = None
        self._lever: AccumulationLever | None = None
        self._epoch = self._earlier = 0
        """The epoch that is being trained, and those of earlier calls of the Trainer."""
        self._warn = OneWarning()
        self._journal: Journal | None = None
        self._has_ended = is_off()
        self._is_end_asked = False

    @property
    def is_recording(self) -> bool:
        """False if tracking is switched off, or after a fault."""
        return not self._has_ended

    @property
    def path(self) -> Path | None:
        """The directory of the run; None before it begins, and if nothing is recorded."""
        return None if self._journal is None else self._journal.session.run.path

    @property
    def lr(self) -> float | None:
        """The lr of the first parameter group for the next step, as keys have scaled it."""
        return None if self._updates is None else self._updates.lr

    @property
    def accumulation(self) -> int:
        """Micro-batches per update, as the record has them."""
        return 1 if self._journal is None else self._journal.settings.accumulation_steps

    # --- The training ---------------------------------------------------------------------------

    @guarded
    def start(
        self,
        plan: TrainingPlan,
        optimizer: Optimizer | None,
        version: str,
        accumulation: "AccumulationLever | None" = None,
    ) -> None:
        """Begin a training, or go on with the record if the Trainer trains again."""
        if self._has_ended:
            return
        if self._updates is not None:
            self._updates.release()
        self._updates = None if optimizer is None else Updates(optimizer, plan.accumulation)
        self._plan, self._lever, self._is_end_asked = plan, accumulation, False
        self._earlier = self._epoch if plan.epoch <= self._epoch else 0
        if self._journal is not None:
            self._go_on(self._journal, plan)
            return
        self._arguments = Arguments(
            accumulation=plan.accumulation,
            name=self._name,
            run_dir=self._run_dir,
            version=version,
        )
        if plan.batch_size:
            self._begin(0, None)

    def _begin(self, samples: int, lr: float | None) -> Journal:
        assert self._plan is not None
        journal = begin(
            self._arguments,
            LoopParts(self._updates, self._plan, self._plan.abilities, self),
            epochs=self._plan.epochs,
            samples=samples,
            lr=lr,
            warn=self._warn,
        )
        journal.builder.at.epoch = max(self._epoch, 1)
        self._journal = journal
        remember(self)
        return journal

    def _go_on(self, journal: Journal, plan: TrainingPlan) -> None:
        """Train more epochs, with the lr of the keys and perhaps another batch size."""
        journal.run_again()
        journal.plan(self._earlier + plan.epochs)
        settings = replace(
            journal.settings,
            batch_size=plan.batch_size or journal.settings.batch_size,
            accumulation_steps=plan.accumulation,
        )
        if settings != journal.settings:
            journal.adopt(settings, "the Trainer trains again")
        else:
            self.change_update(settings, settings.resolve(journal.started.n))

    @guarded
    def begin_epoch(self, epoch: int) -> None:
        """Count the next batches as those of an epoch of this training."""
        self._epoch = self._earlier + epoch
        if (journal := self._journal) is None:
            return
        if self._epoch > journal.epochs:
            journal.plan(self._epoch)
        journal.begin_epoch(self._epoch)  # transformers 4.45 goes on with the group that has begun

    @guarded
    def add(self, loss: Any, samples: int, lr: float | None, *, ends_update: bool) -> None:
        """Record a micro-batch, with the mean of its loss."""
        if self._has_ended or self._plan is None:
            return
        if loss is None:  # the Trainer has left the batch out
            if ends_update and self._journal is not None:
                self._journal.end_group()
            return
        journal = self._journal or self._begin(samples, lr)
        builder = journal.builder
        ends = ends_update or builder.at.in_update + 1 >= builder.steps
        samples = samples or self._plan.batch_size or 1
        builder.add(loss, samples, lr or 0.0, ends_update=ends)

    @guarded
    def note(self, name: str, value: Any) -> None:
        """Record a number by its name, for the last micro-batch."""
        if (journal := self._journal) is not None:
            journal.note(name, value)

    @guarded
    def adopt_accumulation(self, steps: int, note: str) -> None:
        """Record that the Trainer itself has changed its accumulation, between two updates."""
        if (journal := self._journal) is not None and steps != self.accumulation:
            journal.adopt(replace(journal.settings, accumulation_steps=steps), note)

    def obey(self) -> bool:
        """Obey orders between two updates, and wait while paused; true if the end was asked for."""
        if (journal := self._journal) is None or self._plan is None:
            return False
        if self._plan.abilities.going:
            return False
        try:
            journal.obey()
        except Exception as error:
            self.give_up(error)
            return False
        self._is_end_asked = journal.is_end_asked
        return self._is_end_asked

    @guarded
    def evaluate(self, loss: float | None, metrics: Mapping[str, Any], *, ends_epoch: bool) -> None:
        """Record a held-out loss and metrics."""
        if (journal := self._journal) is None:
            return
        journal.cut()
        record = evaluation_of(journal.builder.at, loss, numbers_of(metrics), ends_epoch=ends_epoch)
        if record is not None:
            journal.background.put(record)

    @guarded
    def finish(self, detail: str = "") -> None:
        """Record that the Trainer has returned. `detail`: the reason if it ended early."""
        if self._updates is not None:
            self._updates.release()
        if (journal := self._journal) is None:
            return
        if self._is_end_asked:
            journal.finish(State.STOPPED)
        else:
            journal.finish(detail=detail)

    @guarded
    def fail(self, error: BaseException) -> None:
        """Record an exception that ends the training, and close the run's files."""
        if self._updates is not None:
            self._updates.release()
        journal, self._journal = self._journal, None
        self._has_ended = True
        if journal is not None:
            forget(self)
            journal.end(error, "".join(traceback.format_exception(error)))

    # --- Levers ---------------------------------------------------------------------------------

    @property
    def ahead(self) -> int:
        """Irrelevant to a Trainer, whose batch size stays."""
        return 0

    def change_batch_size(self, batch_size: int, steps: int, ahead: int) -> int:
        """No Trainer changes its batch size: such orders are refused."""
        return 0

    def delay(self, after: Resolved) -> int:
        """Batches that come before these settings can be in force."""
        return 0 if self._lever is None else self._lever.delay(after.accumulation_steps)

    def change_update(self, settings: VariantSettings, resolved: Resolved) -> None:
        """Use another accumulation and lr from the next batch on."""
        if self._lever is not None:
            self._lever.accumulate(settings.accumulation_steps)
        if self._updates is not None:
            factor = resolved.lr / self._arguments.base_lr
            self._updates.scale_lr(1.0 if abs(factor - 1) < 1e-12 else factor)

    # --- The end --------------------------------------------------------------------------------

    def give_up(self, error: Exception) -> None:
        """Train on without a record."""
        journal, self._journal = self._journal, None
        self._has_ended = True
        self._warn(
            f"this run is not recorded any more ({type(error).__name__}: {error}). Training goes on"
        )
        with contextlib.suppress(Exception):
            if self._updates is not None:
                self._updates.release()
            if journal is not None:
                journal.background.close()

    def close(self) -> None:
        """Write what is left and close the run's files, as the end of the script does."""
        forget(self)
        journal, self._journal = self._journal, None
        self._has_ended = True
        if journal is None:
            return
        try:
            error = uncaught()
            lines = "".join(traceback.format_exception(error)) if error is not None else ""
            journal.end(error, lines)
        except Exception as fault:
            self.give_up(fault)

    def forget(self) -> None:
        """Let go of everything in a forked process, whose parent goes on with the run."""
        forget(self)
        journal, self._journal = self._journal, None
        self._has_ended = True
        if journal is not None:
            journal.background.abandon()
