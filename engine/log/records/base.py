"""The base of all records."""

import msgspec

from engine.settings.ranges import Moment


class Record(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One entry of a log."""

    wall_time: Moment = 0.0
    """Time of writing, in seconds since the Unix epoch; 0 when unknown. For display alone.

    By the run's own clock, which no step of the system's clock moves; runs of older versions have
    the system's. What came first is told by the order in a log and by the numbers of workers and
    commands, never by this.
    """
