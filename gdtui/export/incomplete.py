"""Explains in a sentence why a log that has been read to its end is incomplete."""

import os

from engine.log.file import LogReader
from engine.log.filesystem.holding import is_locked
from engine.log.records import State
from engine.settings.text import clean


def why_incomplete(reader: LogReader, state: State | None = None) -> str:
    """The reason, for a log whose records have been read; "" if the log is complete.

    `state`: the last one read. A finished training is complete, too, while its host waits for
    commands and keeps the log open.
    """
    if reader.damage is not None:
        return str(reader.damage)
    has_finished = state is State.FINISHED and not reader.has_torn_end
    if reader.is_complete or (has_finished and is_locked(reader.path)):
        return ""
    if not os.path.lexists(reader.path):
        return clean(f"has no log: {reader.path} is missing")
    torn = ", in the middle of a record" if reader.has_torn_end else ""
    return f"its log ends early{torn} (still training, or killed)"
