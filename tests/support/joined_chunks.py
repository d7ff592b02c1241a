"""Chunks of whole epochs put together into one record, as a worker writes them at free pace."""

from collections import Counter
from collections.abc import Sequence

from engine.log.records import Chunk
from engine.log.records.chunk import joined


def joined_epochs(chunks: Sequence[Chunk], most: int = 1000) -> list[Chunk]:
    """The same batches; a chunk an epoch, of up to `most` alike ones in one record."""
    pieces = Counter(chunk.epoch for chunk in chunks)
    groups: list[list[Chunk]] = []
    for chunk in chunks:
        fits = (
            bool(groups)
            and len(groups[-1]) < most
            and pieces[chunk.epoch] == pieces[groups[-1][-1].epoch] == 1
            and groups[-1][-1].goes_on_with(chunk)
        )
        if fits:
            groups[-1].append(chunk)
        else:
            groups.append([chunk])
    return [joined(group) for group in groups]
