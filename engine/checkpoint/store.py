"""The checkpoints of one variant on disk: written, found again, and thinned to a limit of bytes.

They lie in a directory of the run, one file each, whose name says the generation and the batches
done: STEM.GENERATION-BATCHES.ckpt, with the stem of the variant's log.
"""

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.checkpoint.checkpoint import Checkpoint
from engine.checkpoint.file import DRAFT, CheckpointError, read_checkpoint, write_checkpoint
from engine.checkpoint.thinning import surplus
from engine.log.filesystem.safe_open import make_directory
from engine.log.format import CHECKPOINT_SUFFIX, CHECKPOINTS
from engine.log.lineage.points import Stretch

_DIGITS: Final = 15


@dataclass(frozen=True, slots=True, order=True)
class StoredCheckpoint:
    """A file with a checkpoint, as its name and size describe it."""

    generation: int
    batches: int
    path: Path
    bytes: int


class CheckpointStore:
    """The checkpoints of the variant with this log."""

    def __init__(self, log: Path) -> None:
        self._folder = log.parent / CHECKPOINTS
        self._stem = log.stem
        self._has_begun = False
        """True once this process has written here, so that no draft is of one that was killed."""
        self._name = re.compile(
            rf"{re.escape(self._stem)}\.([1-9]\d{{0,14}})-(\d{{1,15}}){re.escape(CHECKPOINT_SUFFIX)}"
        )

    def stored(self) -> list[StoredCheckpoint]:
        """All checkpoints, oldest first; empty if there are none, or they cannot be listed."""
        found = []
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
                if (match := self._name.fullmatch(path.name)) is not None:
                    generation, batches = map(int, match.groups())
                    with contextlib.suppress(OSError):  # removed meanwhile
                        size = path.lstat().st_size
                        found.append(StoredCheckpoint(generation, batches, path, size))
        return sorted(found)

    def write(self, checkpoint: Checkpoint, limit: int | None = None) -> StoredCheckpoint:
        """Write a checkpoint, whole or not at all. Raises OSError.

        Before that, others are removed so that all, with this one, take at most `limit` bytes. The
        newest of the others stays until this one is whole, even if the two take more.
        """
        with contextlib.suppress(FileExistsError):  # a run that was moved away is not made anew
            make_directory(self._folder, with_parents=False)
            self._has_begun = True
        if not self._has_begun:
            self._has_begun = True
            self._remove_drafts()
        generation, batches = checkpoint.header.generation, checkpoint.batches
        name = f"{self._stem}.{generation}-{batches:0{_DIGITS}}{CHECKPOINT_SUFFIX}"
        path = self._folder / name

        def make_room(size: int) -> None:
            if limit is not None:
                self._thin(limit, StoredCheckpoint(generation, batches, path, size))

        size = write_checkpoint(path, checkpoint, make_room)
        return StoredCheckpoint(generation, batches, path, size)

    def _remove_drafts(self) -> None:
        for path in self._folder.glob(f"*{DRAFT}"):
            if self._name.fullmatch(path.name.removesuffix(DRAFT)):
                with contextlib.suppress(OSError):
                    path.unlink()

    def thin(self, limit: int) -> None:
        """Remove checkpoints until the rest takes at most `limit` bytes; keeps the newest."""
        self._thin(limit)

    def _thin(self, limit: int, coming: StoredCheckpoint | None = None) -> None:
        """The same, with room for one that is about to be written."""
        stored = self.stored()
        stay = [(each.generation, each.batches) for each in stored[-1:]]
        if coming is not None:
            stored = sorted([*stored, coming])
            stay.append((coming.generation, coming.batches))
        sizes = [each.bytes for each in stored]
        places = [(each.generation, each.batches) for each in stored]
        for index in surplus(places, sizes, limit, stay):
            with contextlib.suppress(OSError):
                stored[index].path.unlink()

    def newest(
        self, generation: int, batches: int
    ) -> tuple[Checkpoint | None, tuple[CheckpointError, ...]]:
        """The last sound checkpoint of a generation up to so many batches; and the unusable ones.

        A checkpoint whose content does not match its name is not usable.
        """
        refused: list[CheckpointError] = []
        for each in reversed(self.stored()):
            if each.generation != generation or each.batches > batches:
                continue
            try:
                return self.read(each), tuple(refused)
            except CheckpointError as error:
                if each.path.exists():  # else the worker that writes here has removed it meanwhile
                    refused.append(error)
        return None, tuple(refused)

    @staticmethod
    def read(stored: StoredCheckpoint) -> Checkpoint:
        """The checkpoint in this file; CheckpointError if it is not the one that its name says."""
        checkpoint = read_checkpoint(stored.path)
        found: Sequence[int] = (checkpoint.header.generation, checkpoint.batches)
        if found != (stored.generation, stored.batches):
            raise CheckpointError(stored.path, "holds another checkpoint than its name says")
        return checkpoint


def checkpoints_of(stretch: Stretch, refused: list[str]) -> Iterator[Checkpoint]:
    """The sound checkpoints of a part of a training, newest first.

    Appends to `refused` what is wrong with those that cannot be used.
    """
    store, until = CheckpointStore(stretch.log), stretch.until
    begin = 0 if stretch.past.origin is None else stretch.past.origin.batches
    while True:
        checkpoint, unusable = store.newest(stretch.past.generation, until)
        refused += map(str, unusable)
        if checkpoint is None or checkpoint.batches < begin:
            return
        yield checkpoint
        until = checkpoint.batches - 1
