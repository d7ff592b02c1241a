"""The base of all records."""

import msgspec

from engine.settings.ranges import Moment


class Record(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One entry of a log."""

    wall_time: Moment = 0.0
    """Time of writing, in seconds since the Unix epoch; 0 if unknown. For display only.

    Taken from the run's clock, which adjustments of the system clock do not affect; older versions
    used the system clock. The order of events follows from the order in a log and from the numbers
    of workers and commands, never from this time.
    """
