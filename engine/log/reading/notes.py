"""Notes for the user that a variant's log holds: what was refused or read, or was not as usual."""

from collections.abc import Iterator

from engine.log.records import AnyRecord, Execution, MeasuringSet, Refused, Remarked, Resumed


def notes_of(name: str, record: AnyRecord) -> Iterator[str]:
    """The notes in a record of the variant of this name."""
    match record:
        case MeasuringSet() | Refused() if record.detail:
            yield f"{name}: {record.detail}"
        case Remarked():
            yield record.text if record.batches is None else f"{name}: {record.text}"
        case Execution() if record.compiled:
            yield f"{name}: compiled from update {record.update:,}"
        case Execution() if record.reason:
            yield f"{name}: not compiled: {record.reason}"
        case Resumed():
            yield from resumed_notes(name, record)
        case _:
            pass


def resumed_notes(name: str, record: Resumed) -> Iterator[str]:
    """Notes on checkpoints that cannot be used, and on batches with other losses."""
    for trouble in record.refused:
        yield f"{name}: {trouble}; the checkpoint before it was taken"
    if record.not_compiled:
        yield (
            f"{name}: batches of a compiled step were trained again without one: "
            f"{record.not_compiled}; their losses may differ by rounding"
        )
    if record.differing:
        again = record.batches - record.checkpoint
        yield (
            f"{name}: of the {again:,} batches trained again since the last checkpoint, "
            f"{record.differing:,} have another loss than before, as on a GPU or after a change "
            "of the code or the machine; the losses recorded first are kept"
        )
