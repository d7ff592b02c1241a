"""The batches of a loop's epochs, and everything that falls between two of them."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from engine.tracking.controls import Abilities
from engine.tracking.epochs.progress import LoopProgress
from engine.tracking.ranks.team_journal import TeamJournal
from engine.tracking.safe_journal import SafeJournal
from engine.tracking.steering.loop_checkpoints import LoopCheckpoints

if TYPE_CHECKING:
    from engine.tracking.loop.batches import LoaderBatches
    from engine.tracking.loop.updates import Updates
    from engine.tracking.ranks.team import GradientSync

_FINISHED: Final = "the loop is done with its epochs"


class EpochLoop:
    """Yields the batches of a loader, epoch by epoch, to a loop that trains them."""

    def __init__(
        self,
        progress: LoopProgress,
        journal: SafeJournal,
        checkpoints: LoopCheckpoints,
        abilities: Abilities,
        *,
        batches: "LoaderBatches | None",
        updates: "Updates | None",
        sync: "GradientSync | None",
    ) -> None:
        self._at, self._journal, self._checkpoints = progress, journal, checkpoints
        self._abilities, self._sync = abilities, sync
        self._batches, self._updates = batches, updates
        self._shared = journal if isinstance(journal, TeamJournal) else None

    def all_batches(self, loader: Iterable[Any]) -> Iterator[Any]:
        """Yield the batches of all planned epochs that are left."""
        at = self._at
        while at.is_amid or at.epoch < (self._journal.epochs or at.last_epoch):
            self._begin_epoch()
            for batch, samples in self._one_epoch(loader):
                at.samples = at.untrained = samples
                if self._sync is not None:
                    self._sync.set(at.in_group + 1 >= at.steps or self.ends_epoch(samples))
                at.is_in_body = True
                try:
                    yield batch
                except GeneratorExit:  # the loop was left, by break or by an error
                    at.is_in_body = False
                    self._checkpoints.leave(at)
                    raise
                at.is_in_body, at.untrained = False, None
                if self._checkpoints.is_due:
                    self._checkpoints.take(at)
                if self._journal.is_end_asked and not at.in_group:
                    return
            self._end_epoch()
        at.last_epoch = at.epoch
        self._abilities.epochs = _FINISHED
        self._journal.finish()
        self._checkpoints.finish_epochs()

    def ends_epoch(self, samples: int) -> bool:
        """True if a batch of so many samples is the last of its epoch, as far as it is known."""
        if self._at.is_in_epochs:
            return self._batches is not None and self._batches.is_last
        return self._at.count.ends_with(samples)

    def _begin_epoch(self) -> None:
        at = self._at
        if not at.is_amid:
            at.epoch += 1
            self._journal.begin_epoch(at.epoch)
        at.is_amid = at.is_epoch_over = False
        if self._batches is not None:
            self._batches.set_epoch(at.epoch - 1)

    def _one_epoch(self, loader: Iterable[Any]) -> Iterator[tuple[Any, int]]:
        if self._batches is not None:
            return self._batches.epoch()
        return ((batch, 0) for batch in loader)

    def _end_epoch(self) -> None:
        """End the epoch, and the group that its end has cut short."""
        at = self._at
        if at.in_group and self._updates is not None and self._updates.in_group:
            self._updates.finish()
            self._journal.end_group()
        at.in_group = 0
        if self._shared is not None:
            self._shared.meet()
        at.is_epoch_over = True
        if self._checkpoints.is_due:
            self._checkpoints.take(at)
