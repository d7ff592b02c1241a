"""Notes for the user on how a variant went on after its run had ended."""

from collections.abc import Iterator

from engine.log.records import Resumed


def resumed_notes(name: str, record: Resumed) -> Iterator[str]:
    """Notes on checkpoints that cannot be used, and on batches with other losses."""
    for trouble in record.refused:
        yield f"{name}: {trouble}; the checkpoint before it was taken"
    if record.differing:
        again = record.batches - record.checkpoint
        yield (
            f"{name}: of the {again:,} batches trained again since the last checkpoint, "
            f"{record.differing:,} have another loss than before, as on a GPU or after a change "
            "of the code or the machine; the losses recorded first are kept"
        )
