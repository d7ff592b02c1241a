"""Integrity check of a run's checkpoints: checksums, header, and the training they belong to.

Runs no code of a file. Loads torch, if there are checkpoints.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from engine.log.directory import RunDirectory
from engine.log.format import CHECKPOINTS
from engine.settings.text import clean
from gdtui.state.runs.file_check import CheckpointPlace, FileCheck, FileDamage, FileState

if TYPE_CHECKING:
    from engine.checkpoint.store import CheckpointStore, StoredCheckpoint

Begun = Mapping[str, Mapping[int, int]]
"""The samples in the training set of each generation, by the variant's name."""


def check_checkpoints(run: RunDirectory, begun: Begun) -> Iterator[FileCheck]:
    """Check the files in the directory of checkpoints; `begun` is what the logs say."""
    names: set[str] = set()
    with contextlib.suppress(OSError):
        names = {each.name for each in (run.path / CHECKPOINTS).iterdir()}
    if not names:
        return
    from engine.checkpoint.store import CheckpointStore

    for variant in run.info.settings.variants:
        store = CheckpointStore(run.variant_log(variant.name))
        for each in store.stored():
            names.discard(each.path.name)
            damage = _damage(store, each, begun.get(variant.name, {}))
            if not os.path.lexists(each.path):
                continue  # removed meanwhile, since the run is training
            state = FileState.WHOLE if damage is None else FileState.DAMAGED
            place = CheckpointPlace(
                variant=variant.name, generation=each.generation, batch=each.batches
            )
            yield FileCheck(
                file=f"{CHECKPOINTS}/{each.path.name}",
                state=state,
                bytes=each.bytes,
                damage=damage,
                checkpoint=place,
            )
    for name in sorted(names):
        with contextlib.suppress(OSError):
            size = (run.path / CHECKPOINTS / name).lstat().st_size
            file = clean(f"{CHECKPOINTS}/{name}")
            yield FileCheck(file=file, state=FileState.UNUSED, bytes=size)


def _damage(
    store: "CheckpointStore", stored: "StoredCheckpoint", begun: Mapping[int, int]
) -> FileDamage | None:
    """Why the checkpoint cannot be used; None if it can."""
    from engine.checkpoint.file import CheckpointError

    try:
        header = store.read(stored).header
    except CheckpointError as error:
        return FileDamage(reason=error.reason)
    n = begun.get(stored.generation)
    if n is None:
        return FileDamage(reason=f"is of generation {stored.generation}, which no log has")
    if n != header.n:
        return FileDamage(reason=f"belongs to another training: of {header.n:,} samples, not {n:,}")
    return None
