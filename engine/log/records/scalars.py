"""Numbers that a user's loop logged by name, as one record."""

from typing import Annotated

import msgspec

from engine.log.records.base import Record
from engine.settings.ranges import MOST_METRICS, Ordinal

ScalarName = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Scalars(Record, frozen=True, kw_only=True):
    """Numbers by name, all of them for the same batches, which the log holds already."""

    generation: Ordinal
    batches: bytes
    """Numbers of the batches, in increasing order: little-endian uint64, 8 bytes a batch."""
    values: Annotated[dict[ScalarName, bytes], msgspec.Meta(min_length=1, max_length=MOST_METRICS)]
    """A value for each of the batches: little-endian float64, 8 bytes a batch."""
