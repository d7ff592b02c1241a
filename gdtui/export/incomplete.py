"""Explains in a sentence why a log that has been read to its end is incomplete."""

import os

from engine.log.file import LogReader
from engine.settings.text import clean


def why_incomplete(reader: LogReader) -> str:
    """The reason, for a log whose records have been read; "" if the log is complete."""
    if reader.damage is not None:
        return str(reader.damage)
    if reader.is_complete:
        return ""
    if not os.path.lexists(reader.path):
        return clean(f"has no log: {reader.path} is missing")
    torn = ", in the middle of a record" if reader.has_torn_end else ""
    return f"its log ends early{torn} (still training, or killed)"
