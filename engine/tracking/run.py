"""The object with which a user's script trains its batches and records their losses."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.settings import Resolved, VariantSettings
from engine.tracking.beginning import (
    Arguments,
    LoopParts,
    batches_of,
    begin,
    count_of,
    gradient_sync,
    team_of,
    updates_of,
)
from engine.tracking.controls import Abilities
from engine.tracking.journal import Journal
from engine.tracking.lifetime import forget
from engine.tracking.opening import is_off
from engine.tracking.ranks.team_journal import TeamJournal
from engine.tracking.safe_journal import SafeJournal

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer


_NO_LOADER: Final = "track() was given no loader"
_OWN_BATCHES: Final = "the loop does not draw its batches from run.epochs()"
_OWN_STEPS: Final = "the loop takes its steps itself, and only logs: use run.step()"
_ALONE: Final = "run.log records on one rank alone: use run.step(), which all ranks call"
_FINISHED: Final = "the loop is done with its epochs"
_NO_OPTIMIZER: Final = "track() was given no optimizer"


class TrackedRun:
    """A training loop in a script, recorded as a variant of a run. Made by `gdtui.track`."""

    def __init__(
        self,
        optimizer: "Optimizer | None",
        loader: "Iterable[Any] | None",
        *,
        accumulation: int,
        name: str | None,
        run_dir: str | os.PathLike[str] | None,
        version: str,
        model: "nn.Module | None" = None,
    ) -> None:
        """See `gdtui.track`; `version` is that of the program."""
        if accumulation < 1:
            raise ValueError(f"accumulation {accumulation}: expected a whole number from 1")
        self._loader = loader
        self._arguments = Arguments(
            accumulation=accumulation, name=name, run_dir=run_dir, version=version
        )
        self._team = team_of(optimizer)
        self._sync = gradient_sync(model) if self._team is not None else None
        self._updates = updates_of(optimizer, accumulation, self._team)
        self._batches = batches_of(loader, is_plain=is_off())
        self._steps = accumulation
        self._in_group = 0
        self._samples = 0
        """Samples of the batch that `epochs` has given last; 0 if unknown."""
        self._count = count_of(self._batches)
        self._epoch = self._last_epoch = 0
        self._is_in_epochs = False
        self._abilities = Abilities(
            batch_size=_NO_LOADER if self._batches is None else self._batches.fixed or _OWN_BATCHES,
            lr=_NO_OPTIMIZER if self._updates is None else "",
            epochs=_OWN_BATCHES,
        )
        self._shared: TeamJournal | None = None
        if self._team is not None:
            self._abilities.ranks = self._team.size
            self._shared = TeamJournal(self._begin, self._team, is_off=is_off())
        self._journal = self._shared or SafeJournal(self._begin, is_off=is_off())

    @property
    def path(self) -> Path | None:
        """The directory of the run; None before the first batch, and if nothing is recorded."""
        return self._journal.path

    @property
    def epoch(self) -> int:
        """The epoch that is being trained, from 1; 0 before the first."""
        return self._epoch

    # --- Batches --------------------------------------------------------------------------------

    def epochs(self, count: int) -> Iterator[Any]:
        """Yield the batches of `count` epochs, of the size in force.

        Ends earlier if a viewer ends the run. May be called again for more epochs.
        """
        if self._loader is None:
            raise ValueError("track() was given no loader: run.epochs() has no batches")
        self._last_epoch = self._epoch + count
        self._is_in_epochs = True
        self._abilities.epochs = ""
        if self._batches is not None:
            self._abilities.batch_size = self._batches.fixed
        self._journal.begin(0, None)
        self._journal.plan(self._last_epoch)
        return self._all_batches()

    def _all_batches(self) -> Iterator[Any]:
        while self._epoch < (self._journal.epochs or self._last_epoch):
            self._epoch += 1
            self._journal.begin_epoch(self._epoch)
            if self._batches is not None:
                self._batches.set_epoch(self._epoch - 1)
            for batch, samples in self._one_epoch():
                self._samples = samples
                if self._sync is not None:
                    self._sync.set(self._in_group + 1 >= self._steps or self._ends_epoch(samples))
                yield batch
                if self._journal.is_end_asked and not self._in_group:
                    return
            self._close_group()
            if self._shared is not None:
                self._shared.meet()
        self._last_epoch = self._epoch
        self._abilities.epochs = _FINISHED
        self._journal.finish()

    def _one_epoch(self) -> Iterator[tuple[Any, int]]:
        if self._batches is not None:
            return self._batches.epoch()
        assert self._loader is not None
        return ((batch, 0) for batch in self._loader)

    # --- Updates --------------------------------------------------------------------------------

    def step(self, loss: Any, *, weight: Any = None, samples: int | None = None) -> None:
        """Train on a batch: backward; and at the end of its group the step, and zero_grad.

        `weight`: the number of terms that the loss averages over, the batch's samples if None.
        `samples`: those of the batch, for a loop that does not take its batches from `epochs`.
        """
        if (updates := self._updates) is None:
            raise ValueError("track() was given no optimizer: use run.log()")
        count = samples or self._samples or self._guessed
        counted = (count or 1) if weight is None else weight
        updates.backward(loss, counted, is_given=weight is not None)
        lr = updates.lr
        self._in_group += 1
        if ends_update := self._in_group >= self._steps or self._ends_epoch(count):
            updates.finish()
            self._in_group = 0
        if self._shared is not None:
            self._shared.add_shared(loss, counted, count or 1, lr, ends_update=ends_update)
        else:
            self._journal.add(loss, count, lr, ends_update=ends_update)
        if not self._is_in_epochs:
            self._count_batch(count)

    def log(
        self,
        loss: Any = None,
        *,
        samples: int | None = None,
        lr: float | None = None,
        **scalars: Any,
    ) -> None:
        """Record a batch that the loop trains by itself, and any other number by its name.

        Without `loss`, the numbers belong to the batch before.
        """
        if loss is not None:
            self._abilities.accumulation_steps = _OWN_STEPS
            if self._team is not None:
                self._log_alone(loss, samples, lr, scalars)
                return
            if lr is None and self._updates is not None:
                lr = self._updates.lr
            self._in_group += 1
            count = samples or self._samples or self._guessed
            if ends_update := self._in_group >= self._steps or self._ends_epoch(count):
                self._in_group = 0
            self._journal.add(loss, count, lr, ends_update=ends_update, scalars=scalars)
            if not self._is_in_epochs:
                self._count_batch(count)
        elif scalars:
            self._journal.note(scalars)

    def _log_alone(
        self, loss: Any, samples: int | None, lr: float | None, scalars: dict[str, Any]
    ) -> None:
        """Record the loss of this rank, which may be the only one that logs."""
        self._abilities.batch_size = self._abilities.lr = self._abilities.going = _ALONE
        if self._team is not None and self._team.is_recorder:
            lr = self._updates.lr if lr is None and self._updates is not None else lr
            count = (samples or self._samples or self._guessed) * self._team.size
            self._in_group = (self._in_group + 1) % self._steps
            ends_update = not self._in_group
            # Orders that all ranks can obey together wait for the meeting at the epoch's end.
            self._journal.add(
                loss, count, lr, ends_update=ends_update, scalars=scalars, obeys=False
            )

    @property
    def _guessed(self) -> int:
        """Samples in a batch that the loop has drawn itself; 0 if unknown."""
        return self._count.next_samples or self._arguments.batch_size

    def _ends_epoch(self, samples: int) -> bool:
        """True if a batch of so many samples is the last of its epoch, as far as it is known."""
        if self._is_in_epochs:
            return self._batches is not None and self._batches.is_last
        return self._count.ends_with(samples)

    def _count_batch(self, samples: int) -> None:
        """Count a batch that the loop has drawn itself."""
        self._epoch = self._epoch or 1
        if self._count.add(samples or 1):
            self._epoch += 1
            self._journal.begin_epoch(self._epoch)

    def _close_group(self) -> None:
        """End the group that the end of an epoch has cut short."""
        if self._in_group and self._updates is not None and self._updates.in_group:
            self._updates.finish()
            self._journal.end_group()
        self._in_group = 0

    def _begin(self, samples: int, lr: float | None, warn: Callable[[str], object]) -> Journal:
        return begin(
            self._arguments,
            LoopParts(self._updates, self._batches, self._abilities, self, self._team),
            epochs=max(self._last_epoch, 1),
            samples=samples,
            lr=lr,
            warn=warn,
        )

    # --- Levers ---------------------------------------------------------------------------------

    @property
    def ahead(self) -> int:
        """Batches that were read before the loop wants them; they keep their size."""
        return 0 if self._batches is None else self._batches.ahead

    def change_batch_size(self, batch_size: int, steps: int, ahead: int) -> int:
        """Use another batch size; returns the batches of the old size that still come."""
        assert self._batches is not None
        ranks = 1 if self._team is None else self._team.size
        return self._batches.resize(batch_size // ranks, steps, ahead)

    def delay(self, after: Resolved) -> int:
        """Settings can be in force at any update."""
        return 0

    def change_update(self, settings: VariantSettings, resolved: Resolved) -> None:
        """Use another accumulation and lr from the next batch on."""
        self._steps = resolved.accumulation_steps
        if self._updates is not None:
            self._updates.steps = resolved.accumulation_steps
            factor = resolved.lr / self._arguments.base_lr
            self._updates.scale_lr(1.0 if abs(factor - 1) < 1e-12 else factor)

    # --- The end --------------------------------------------------------------------------------

    def close(self) -> None:
        """Write what is left and close the run's files, as the end of the script does."""
        forget(self)
        self._journal.close()

    def forget(self) -> None:
        """Let go of everything in a forked process, whose parent goes on with the run."""
        forget(self)
        self._journal.abandon()
