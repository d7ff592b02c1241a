"""The records of a source one by one, whether they come as blocks or not."""

from collections.abc import Iterator

from engine.log.reading.loss_block import LossBlock
from engine.log.records import AnyRecord
from gdtui.state.record_source import RecordSource


def portion(source: RecordSource, most: int = 1 << 20) -> Iterator[tuple[str, AnyRecord]]:
    """The records of one portion, each with the name of its variant."""
    for name, part in source.portions(most):
        for record in part.records if isinstance(part, LossBlock) else (part,):
            yield name, record
