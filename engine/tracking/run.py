"""The object with which a user's script trains its batches and records their losses."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.settings import MOST
from engine.tracking.beginning import Arguments, LoopParts, begin
from engine.tracking.controls import Abilities
from engine.tracking.epochs.progress import LoopProgress
from engine.tracking.journal import Journal
from engine.tracking.lifetime import forget
from engine.tracking.opening import is_off
from engine.tracking.parts import (
    batches_of,
    count_of,
    gradient_sync,
    seconds,
    team_of,
    updates_of,
    whole_number,
)
from engine.tracking.ranks.team_journal import TeamJournal
from engine.tracking.record.remarks import OF_ONE_RANK
from engine.tracking.safe_journal import SafeJournal
from engine.tracking.steering.epoch_loop import EpochLoop
from engine.tracking.steering.levers import LoopLevers
from engine.tracking.steering.loop_checkpoints import LoopCheckpoints

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer


_NO_LOADER: Final = "track() was given no loader"
_OWN_BATCHES: Final = "the loop does not draw its batches from run.epochs()"
_OWN_STEPS: Final = "the loop takes its steps itself, and only logs: use run.step()"
_ALONE: Final = "run.log records on one rank alone: use run.step(), which all ranks call"
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
        accumulation = whole_number("accumulation", accumulation, 1)
        self._loader = loader
        self._arguments = Arguments(
            accumulation=accumulation, name=name, run_dir=run_dir, version=version
        )
        self._team = team_of(optimizer)
        ranks = 1 if self._team is None else self._team.size
        self._updates = updates_of(optimizer, accumulation, self._team)
        self._batches = batches_of(loader, self._updates, is_plain=is_off())
        self._at = LoopProgress(accumulation, count_of(self._batches))
        self._levers = LoopLevers(self._arguments, self._at, self._updates, self._batches, ranks)
        self._abilities = self._first_abilities(ranks)
        team, off = self._team, is_off()
        self._shared = None if team is None else TeamJournal(self._begin, team, is_off=off)
        self._journal = self._shared or SafeJournal(self._begin, is_off=off)
        self._checkpoints = LoopCheckpoints(
            self._arguments, self._updates, self._batches, self._team, self._journal
        )
        self._loop = EpochLoop(
            self._at,
            self._journal,
            self._checkpoints,
            self._abilities,
            batches=self._batches,
            updates=self._updates,
            sync=None if self._team is None else gradient_sync(model),
        )

    def _first_abilities(self, ranks: int) -> Abilities:
        return Abilities(
            batch_size=_NO_LOADER if self._batches is None else self._batches.fixed or _OWN_BATCHES,
            lr=_NO_OPTIMIZER if self._updates is None else "",
            epochs=_OWN_BATCHES,
            ranks=ranks,
        )

    @property
    def path(self) -> Path | None:
        """The directory of the run; None before it begins, and if nothing is recorded."""
        return self._journal.path or self._checkpoints.path

    @property
    def epoch(self) -> int:
        """The epoch that is being trained, from 1; 0 before the first."""
        return self._at.epoch

    @property
    def batches(self) -> int:
        """Batches trained so far, those before the checkpoint that `resume` found among them."""
        return self._at.done

    # --- Batches --------------------------------------------------------------------------------

    def epochs(self, count: int) -> Iterator[Any]:
        """Yield the batches of `count` epochs, of the size in force.

        Ends earlier if a viewer ends the run. May be called again for more epochs. After `resume`,
        epochs that are done already are left out.
        """
        if self._loader is None:
            raise ValueError("track() was given no loader: run.epochs() has no batches")
        at = self._at
        count = min(whole_number("epochs", count, 0), MOST)
        at.last_epoch = self._checkpoints.calls.begin(at.epoch, count)
        if self._checkpoints.is_behind(at):
            return iter(())
        self._checkpoints.begin_epochs()
        at.is_in_epochs = True
        self._abilities.epochs = ""
        if self._batches is not None:
            self._abilities.batch_size = self._batches.fixed
        self._journal.begin(0, None)
        self._journal.plan(at.last_epoch)
        return self._loop.all_batches(self._loader)

    # --- Updates --------------------------------------------------------------------------------

    def step(self, loss: Any, *, weight: Any = None, samples: int | None = None) -> None:
        """Train on a batch: backward; and at the end of its group the step, and zero_grad.

        `weight`: the number of terms that the loss averages over, the batch's samples if None.
        `samples`: those of the batch, for a loop that does not take its batches from `epochs`.
        """
        if (updates := self._updates) is None:
            raise ValueError("track() was given no optimizer: use run.log()")
        at = self._at
        count = self._samples(samples)
        counted = (count or 1) if weight is None else weight
        updates.backward(loss, counted, is_given=weight is not None)
        lr = updates.lr
        at.train()
        if ends_update := at.in_group >= at.steps or self._loop.ends_epoch(count):
            updates.finish()
            at.in_group = 0
        if self._shared is not None:
            self._shared.add_shared(loss, counted, count or 1, lr, ends_update=ends_update)
        else:
            self._journal.add(loss, count, lr, ends_update=ends_update)
        if not at.is_in_epochs:
            self._end_batch(count)

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
            at = self._at
            at.train()
            self._abilities.accumulation_steps = _OWN_STEPS
            if self._team is not None:
                self._log_alone(loss, samples, lr, scalars)
                return
            if lr is None and self._updates is not None:
                lr = self._updates.lr
            count = self._samples(samples)
            if ends_update := at.in_group >= at.steps or self._loop.ends_epoch(count):
                at.in_group = 0
            self._journal.add(loss, count, lr, ends_update=ends_update, scalars=scalars)
            if not at.is_in_epochs:
                self._end_batch(count)
        elif scalars:
            self._journal.note(scalars)

    def _log_alone(
        self, loss: Any, samples: int | None, lr: float | None, scalars: dict[str, Any]
    ) -> None:
        """Record the loss of this rank, which may be the only one that logs."""
        self._abilities.batch_size = self._abilities.lr = self._abilities.going = _ALONE
        if self._team is not None and self._team.is_recorder:
            lr = self._updates.lr if lr is None and self._updates is not None else lr
            count = self._samples(samples) * self._team.size
            self._at.in_group %= self._at.steps
            ends_update = not self._at.in_group
            # Orders that all ranks can obey together wait for the meeting at the epoch's end.
            self._journal.add(
                loss, count, lr, ends_update=ends_update, scalars=scalars, obeys=False
            )
            self._journal.remark(OF_ONE_RANK)

    def _samples(self, given: int | None) -> int:
        """Samples in a batch: given, the loader's, or as in the first batch; 0 if unknown."""
        if given is not None and (count := whole_number("samples", given, 0)):
            return count
        return self._at.samples or self._at.count.next_samples or self._arguments.batch_size

    def _end_batch(self, samples: int) -> None:
        """Count a batch that the loop has drawn itself, and take a checkpoint if one is due."""
        if self._at.end_batch(samples):
            self._journal.begin_epoch(self._at.epoch)
        if self._checkpoints.is_due:
            self._checkpoints.take(self._at)

    def _begin(self, samples: int, lr: float | None, warn: Callable[[str], object]) -> Journal:
        return begin(
            self._arguments,
            LoopParts(
                self._updates,
                self._batches,
                self._abilities,
                self._levers,
                self._team,
                self._checkpoints.continuation,
            ),
            epochs=self._at.last_epoch,
            samples=samples,
            lr=lr,
            warn=warn,
        )

    # --- Checkpoints ----------------------------------------------------------------------------

    def checkpoint(self, model: "nn.Module", *, every: float = 0.0, **objects: Any) -> None:
        """Keep a checkpoint, from which the script can go on once it has ended or was killed.

        It has the state of the model, of the optimizer given to `track`, of other objects by name,
        such as `scheduler=scheduler`, of the random generators, and the place in the data. It is
        taken once the loop has trained this batch and its update has ended, and written in the
        background. With `every`, at most one is taken in so many seconds.
        """
        self._checkpoints.ask(model, objects, seconds("every", every))
        if not self._at.is_in_body and self._checkpoints.is_finished:
            self._checkpoints.take(self._at)

    def resume(self, model: "nn.Module", **objects: Any) -> bool:
        """Go on after the last checkpoint of the run, which an earlier process of the script kept.

        To be called once, before the first batch, with the objects that `checkpoint` is given.
        Returns False if there is no checkpoint: then training begins. Raises ResumeError, a
        RuntimeError, if the checkpoint does not fit, and ValueError if `track` was given no
        directory.
        """
        return self._checkpoints.resume(self._at, model, objects)

    # --- The end --------------------------------------------------------------------------------

    def close(self) -> None:
        """Write what is left and close the run's files, as the end of the script does."""
        forget(self)
        self._checkpoints.leave(self._at)
        journal = self._journal.journal
        self._journal.close()
        self._checkpoints.close(journal)

    def forget(self) -> None:
        """Let go of everything in a forked process, whose parent goes on with the run."""
        forget(self)
        self._journal.abandon()
