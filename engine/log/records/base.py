"""The base of all records."""

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One entry of a log."""

    wall_time: float = 0.0
    """Time of writing, in seconds since the Unix epoch; 0 when unknown."""
