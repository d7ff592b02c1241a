"""The record of a training by a Trainer: its micro-batches, updates, metrics and orders.

No fault in here reaches the Trainer: the record ends, with one warning, and the training goes on.
"""

import os
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace
from torch.optim import Optimizer

from engine.log.records import State
from engine.tracking.beginning import Arguments, LoopParts, begin
from engine.tracking.journal import Journal
from engine.tracking.lifetime import remember
from engine.tracking.ranks.team import SharedBatch, find_team
from engine.tracking.record.remarks import OF_RANKS
from engine.tracking.trainers.ending import EndingRecord, guarded
from engine.tracking.trainers.evaluation import evaluation_of, numbers_of
from engine.tracking.trainers.levers import AccumulationLever, TrainerLevers
from engine.tracking.trainers.plan import TrainingPlan
from engine.tracking.trainers.ranked import RankedTraining


class TrainerRecord(EndingRecord):
    """A training by a Trainer, recorded as a variant of a run."""

    def __init__(self, *, name: str | None, run_dir: str | os.PathLike[str] | None) -> None:
        """`name` and `run_dir`: see `gdtui.track`."""
        super().__init__()
        self._name, self._run_dir = name, run_dir
        self._plan: TrainingPlan | None = None
        self._arguments = Arguments(accumulation=1, name=name, run_dir=run_dir, version="")
        self._epoch = self._earlier = 0
        """The epoch that is being trained, and those of earlier calls of the Trainer."""
        self._ranks: RankedTraining | None = None
        """The processes that train together; None for a training in one."""
        self._is_end_asked = False

    @property
    def lr(self) -> float | None:
        """The lr of the first parameter group for the next step, as keys have scaled it."""
        return None if self._levers.updates is None else self._levers.updates.lr

    @property
    def accumulation(self) -> int:
        """Micro-batches per update, as the record has them; a fault changes nothing about it."""
        return self._levers.steps

    @property
    def has_ranks(self) -> bool:
        """True if several processes train together."""
        return self._ranks is not None

    # --- The training ---------------------------------------------------------------------------

    def join_ranks(self, size: int, optimizer: Optimizer | None, *, is_able: bool) -> bool:
        """Meet the other processes of the training; false if they cannot train together.

        All of them call it when training begins. `size`: their number. `is_able`: this one can
        record and obey.
        """
        self._ranks = None
        if size < 2 or (team := find_team(optimizer, size)) is None:
            return size < 2
        if team.agrees(is_able and not self._has_ended):
            self._ranks = RankedTraining(self, team)
        elif not self._has_ended:
            self.give_up(RuntimeError("one of the processes that train cannot record it"))
        return True

    @guarded
    def start(
        self,
        plan: TrainingPlan,
        optimizer: Optimizer | None,
        version: str,
        accumulation: AccumulationLever | None = None,
    ) -> None:
        """Begin a training, or go on with the record if the Trainer trains again."""
        self._levers.release()
        self._levers = TrainerLevers(optimizer, plan.accumulation, accumulation)
        if self._has_ended:
            return
        self._plan, self._is_end_asked = plan, False
        self._earlier = self._epoch if plan.epoch <= self._epoch else 0
        if self.journal is not None:
            self._go_on(self.journal, plan)
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
            LoopParts(
                self._levers.updates,
                self._plan,
                self._plan.abilities,
                self._levers,
                None if self._ranks is None else self._ranks.team,
            ),
            epochs=self._plan.epochs,
            samples=samples,
            lr=lr,
            warn=self._warn,
        )
        self._levers.base_lr = self._arguments.base_lr
        journal.builder.at.epoch = max(self._epoch, 1)
        self.journal = journal
        for text in (self._plan.remark, OF_RANKS if self._ranks is not None else ""):
            if text:
                journal.remark(text)
        remember(self)
        return journal

    @property
    def _size(self) -> int:
        """The processes that train together."""
        return 1 if self._ranks is None else self._ranks.team.size

    def _go_on(self, journal: Journal, plan: TrainingPlan) -> None:
        """Train more epochs, with the lr of the keys and perhaps another batch size."""
        journal.levers, self._levers.base_lr = self._levers, self._arguments.base_lr
        journal.run_again()
        journal.plan(self._earlier + plan.epochs)
        settings = replace(
            journal.settings,
            batch_size=plan.batch_size * self._size or journal.settings.batch_size,
            accumulation_steps=plan.accumulation,
        )
        if settings != journal.settings:
            journal.adopt(settings, "the Trainer trains again")
        else:
            self._levers.change_update(settings, settings.resolve(journal.started.n))

    @guarded
    def begin_epoch(self, epoch: int) -> None:
        """Count the next batches as those of an epoch of this training."""
        self._settle()
        self._epoch = self._earlier + epoch
        if (journal := self.journal) is None:
            return
        if self._epoch > journal.epochs:
            journal.plan(self._epoch)
        journal.begin_epoch(self._epoch)  # transformers 4.45 goes on with the group that has begun

    def _settle(self) -> None:
        """Have the record up to this batch."""
        if self._ranks is not None:
            self._ranks.settle()

    @guarded
    def add(
        self, loss: Any, samples: int, lr: float | None, *, ends_update: bool, weight: Any = None
    ) -> None:
        """Record a micro-batch, with the mean of its loss over `weight` terms; None: its samples.

        With several processes, the mean over all of them is recorded once they meet.
        """
        if self._ranks is not None:
            count = samples or (self._plan.batch_size if self._plan is not None else 0) or 1
            weight = count if weight is None else weight
            self._ranks.add(loss, weight, count, lr or 0.0, ends_update=ends_update)
        else:
            self._record(loss, samples, lr, ends_update=ends_update)

    def _record(self, loss: Any, samples: int, lr: float | None, *, ends_update: bool) -> None:
        if self._has_ended or self._plan is None:
            return
        if loss is None:  # the Trainer has left the batch out
            if ends_update and self.journal is not None:
                self.journal.end_group()
            return
        builder = (self.journal or self._begin(samples // self._size, lr)).builder
        ends = ends_update or builder.at.in_update + 1 >= builder.steps
        samples = samples or self._plan.batch_size or 1
        builder.add(loss, samples, lr or 0.0, ends_update=ends)

    @guarded
    def take_in(self, batch: SharedBatch) -> None:
        """Count a micro-batch of all processes."""
        loss = batch.loss if batch.samples else None
        self._record(loss, batch.samples, batch.lr, ends_update=batch.ends_update)

    @guarded
    def note(self, name: str, value: Any) -> None:
        """Record a number by its name, for the last micro-batch."""
        if self._ranks is not None:
            self._ranks.note(name, value)
        else:
            self.write_note(name, value)

    @guarded
    def write_note(self, name: str, value: Any) -> None:
        """Record a number by its name, for the last micro-batch on record."""
        if (journal := self.journal) is not None:
            journal.note(name, value)

    @guarded
    def adopt_accumulation(self, steps: int, note: str) -> None:
        """Record that the Trainer itself has changed its accumulation, between two updates."""
        if steps == self.accumulation:
            return
        self._settle()
        if self._has_ended:
            self._levers.steps = steps  # the next call must find the same on all ranks
        elif (journal := self.journal) is not None:
            journal.adopt(replace(journal.settings, accumulation_steps=steps), note)

    def obey(self) -> bool:
        """Obey orders between two updates, and wait while paused; true if the end was asked for."""
        try:
            if self._ranks is not None:
                self._is_end_asked = self._ranks.obey()
                return self._is_end_asked
            if (journal := self.journal) is None or self._plan is None:
                return False
            if self._plan.abilities.going:
                return False
            journal.obey()
        except Exception as error:
            self.give_up(error)
            return False
        self._is_end_asked = journal.is_end_asked
        return self._is_end_asked

    @guarded
    def evaluate(self, loss: float | None, metrics: Mapping[str, Any], *, ends_epoch: bool) -> None:
        """Record a held-out loss and metrics; with several processes, each calls it."""
        self._settle()
        if (journal := self.journal) is None:
            return
        journal.cut()
        record = evaluation_of(journal.builder.at, loss, numbers_of(metrics), ends_epoch=ends_epoch)
        if record is not None:
            journal.background.put(record)

    @guarded
    def finish(self, detail: str = "") -> None:
        """Record that the Trainer has returned. `detail`: the reason if it ended early."""
        self._settle()
        self._levers.release()
        if (journal := self.journal) is None:
            return
        if self._is_end_asked:
            journal.finish(State.STOPPED)
        else:
            journal.finish(detail=detail)
