"""The checkpoints of a tracked loop: kept between two updates, continued by another process.

Several ranks keep one together: rank 0 writes it, and has the random generators of all in it.
"""

import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.tracking.checkpoints.continuation import Continuation, KeptPoint
from engine.tracking.checkpoints.saving import CheckpointSaver
from engine.tracking.epochs.calls import EpochCalls
from engine.tracking.epochs.progress import LoopProgress
from engine.tracking.opening import is_off, place, variant_name
from engine.tracking.ranks.team_journal import TeamJournal

if TYPE_CHECKING:
    from engine.tracking.beginning import Arguments
    from engine.tracking.checkpoints.place import LoopPlace
    from engine.tracking.journal import Journal
    from engine.tracking.loop.batches import LoaderBatches
    from engine.tracking.loop.order import EpochPlace
    from engine.tracking.loop.updates import Updates
    from engine.tracking.ranks.team import Team
    from engine.tracking.safe_journal import SafeJournal

_LATE: Final = "call run.resume() before the first batch"
_NO_TORCH: Final = "run.resume() needs torch, which this script has not imported"
_NO_PLACE: Final = (
    "run.resume() needs the directory of the run: pass run_dir= to gdtui.track, or set "
    "GDTUI_RUN_DIR"
)


class LoopCheckpoints:
    """Keeps the checkpoints of a loop, and brings the loop to the last one."""

    def __init__(
        self,
        arguments: "Arguments",
        updates: "Updates | None",
        batches: "LoaderBatches | None",
        team: "Team | None",
        journal: "SafeJournal",
    ) -> None:
        self._arguments, self._journal, self._is_off = arguments, journal, is_off()
        self._updates, self._batches, self._team = updates, batches, team
        optimizer = None if updates is None else updates.optimizer
        self._saver = CheckpointSaver(optimizer, journal.warn)
        self.calls = EpochCalls()
        self.continuation: Continuation | None = None
        """The training that this process goes on with."""
        self._gathered: list[bytes] | None = None
        """The places of all ranks at the end of the epochs; None before."""
        self._is_in_epochs = self._is_epoch_trained = False
        self._shared = journal if isinstance(journal, TeamJournal) else None
        if self._shared is not None:
            self._shared.wants_checkpoint = lambda: self._saver.is_asked

    @property
    def path(self) -> Path | None:
        """The directory of the run that this process goes on with; None for a new run."""
        run = None if self.continuation is None else self.continuation.run
        return None if run is None else run.path

    # --- Keeping --------------------------------------------------------------------------------

    @property
    def is_due(self) -> bool:
        """True if a checkpoint is to be taken once no update is open; on all ranks alike."""
        return self._saver.is_asked if self._shared is None else self._shared.is_keep_due

    def ask(self, model: Any, others: Mapping[str, Any], every: float) -> None:
        """Take a checkpoint at the next opportunity."""
        if not self._is_off and (self._team is None or self._team.is_recorder):
            self._saver.ask(model, others, every)

    def begin_epochs(self) -> None:
        """Note that the loop draws its batches from `run.epochs`."""
        self._is_in_epochs, self._gathered = True, None

    def finish_epochs(self) -> None:
        """Let rank 0 know the places of all ranks, for a checkpoint after the last epoch."""
        if self._team is not None:
            self._gathered = self._team.gather(self._encoded(has_epoch_ended=True))

    @property
    def is_finished(self) -> bool:
        """True if rank 0 can take a checkpoint without the others: after the last epoch."""
        return self._team is None or self._gathered is not None

    def take(self, at: LoopProgress) -> None:
        """Take a checkpoint, unless an update has begun; several ranks take it together."""
        if at.in_group or not at.done:
            return
        if self._shared is not None:
            self._shared.begin_keeping()
        ranks = self._gathered
        if ranks is None:
            own = self._encoded(has_epoch_ended=at.has_epoch_ended, untrained=at.untrained)
            ranks = [own] if self._team is None else self._team.gather(own)
        if self._saver.is_asked:
            self._saver.take(self._journal.journal, lambda: self._place(ranks, at))

    def _encoded(self, *, has_epoch_ended: bool, untrained: int | None = None) -> bytes:
        """The place of this rank; empty after a fault, which keeps no other rank waiting."""
        if "torch" not in sys.modules:
            return b""
        with contextlib.suppress(Exception):
            from engine.tracking.checkpoints.place import encoded

            batches = self._batches
            if batches is None or not self._is_in_epochs:
                return encoded(self._own_place())
            return encoded(
                batches.between_epochs() if has_epoch_ended else batches.place(untrained)
            )
        return b""

    def _own_place(self) -> "EpochPlace":
        """The generators of a loop that draws its batches itself."""
        import torch

        from engine.tracking.loop.generators import LoopGenerators
        from engine.tracking.loop.order import EpochPlace

        if self._batches is not None:
            return EpochPlace(now=self._batches.generators.states())
        device = torch.device("cpu" if self._updates is None else self._updates.device)
        return EpochPlace(now=LoopGenerators(None, device).states())

    def _place(self, ranks: list[bytes], at: LoopProgress) -> "LoopPlace":
        from engine.tracking.checkpoints.place import LoopPlace

        if not all(ranks):
            raise ValueError("the state of the random generators cannot be read")
        batches, journal = self._batches, self._journal.journal
        in_epoch = at.count.done
        if batches is not None and self._is_in_epochs:
            in_epoch = batches.samples * len(ranks)
        planned = self._journal.epochs
        return LoopPlace(
            ranks=tuple(ranks),
            in_epoch=0 if at.has_epoch_ended else in_epoch,
            has_epoch_ended=at.has_epoch_ended,
            is_in_epochs=self._is_in_epochs,
            starts=tuple(self.calls.starts),
            extended=planned if planned != self.calls.last else 0,
            epoch_samples=0 if batches is None else batches.epoch_samples * len(ranks),
            base_lr=self._arguments.base_lr,
            waiting=() if journal is None else tuple(journal.waiting),
        )

    def leave(self, at: LoopProgress) -> None:
        """Take the checkpoint that was asked for, though other ranks may train on."""
        if self._shared is None and self._saver.is_asked:
            self.take(at)

    def close(self, journal: "Journal | None") -> None:
        """Wait for the last checkpoint to be written; `journal` has been closed."""
        self._saver.wait(journal)

    # --- Going on -------------------------------------------------------------------------------

    def is_behind(self, at: LoopProgress) -> bool:
        """True if the epochs of this call of `run.epochs` were done before the checkpoint."""
        if not at.last_epoch:
            return True
        is_left = at.is_amid and not self._is_epoch_trained
        return self._journal.begins and not is_left and 0 < at.last_epoch <= at.epoch

    def resume(self, at: LoopProgress, model: Any, others: Mapping[str, Any]) -> bool:
        """Bring the loop to its last checkpoint; False if it begins with its first weights.

        Raises ValueError for a call that cannot mean anything, and ResumeError.
        """
        if self._is_off:
            return False
        if "torch" not in sys.modules:
            raise ValueError(_NO_TORCH)
        if not self._journal.begins or self.continuation is not None:
            raise ValueError(_LATE)
        if (path := place(self._arguments.run_dir)) is None:
            raise ValueError(_NO_PLACE)
        from engine.tracking.checkpoints.restoring import Restoring

        restoring = Restoring(self._updates, self._batches, self._team)
        name = variant_name(self._arguments.name)
        self.continuation = found = restoring.find(path, name)
        if found is None or (point := found.point) is None:
            return False
        restoring.restore(path, point, model, others)
        self._go_on(at, point)
        return True

    def _has_all(self, in_epoch: int, epoch_samples: int) -> bool:
        """True if an epoch with so many samples done has no batch left."""
        batches = self._batches
        if batches is None or not epoch_samples:
            return False
        ranks = 1 if self._team is None else self._team.size
        least = batches.batch_size * ranks if batches.drop_last else 1
        return epoch_samples - in_epoch < least

    def _go_on(self, at: LoopProgress, point: KeptPoint) -> None:
        counters, kept = point.counters, point.loop
        at.done, at.epoch = counters.batches, counters.epoch
        at.is_epoch_over = kept.is_in_epochs and kept.has_epoch_ended
        at.is_amid = kept.is_in_epochs and not kept.has_epoch_ended
        at.count.done = 0 if kept.is_in_epochs else kept.in_epoch
        self._arguments.base_lr = kept.base_lr
        self._is_epoch_trained = self._has_all(kept.in_epoch, kept.epoch_samples)
        self.calls.go_on_after(kept.starts, kept.extended)
