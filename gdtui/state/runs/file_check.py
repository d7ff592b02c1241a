"""The result of checking one file of a stored run."""

from enum import StrEnum

import msgspec


class FileState(StrEnum):
    """The state of one file of a run."""

    WHOLE = "whole"
    GROWING = "still written"
    ENDS_EARLY = "ends early"
    MISSING = "missing"
    DAMAGED = "damaged"
    UNUSED = "not used"
    """No file of the run, such as what a killed process has left."""


class FileDamage(msgspec.Struct, frozen=True, kw_only=True):
    """The first damage in a file."""

    reason: str
    offset: int | None = None
    """Bytes of the file before the damage; None for a file that is read as a whole."""
    record: int | None = None
    """The number of the damaged record, counted from 1."""


class CheckpointPlace(msgspec.Struct, frozen=True, kw_only=True):
    """The place of a checkpoint in the training, as its name says."""

    variant: str
    generation: int
    batch: int
    """Batches of the generation that were done."""


class FileCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a run, and how far it can be read."""

    file: str
    state: FileState
    bytes: int
    records: int | None = None
    """Whole records before the first damage; None for a file without records."""
    damage: FileDamage | None = None
    checkpoint: CheckpointPlace | None = None
    """None for all files but checkpoints."""
