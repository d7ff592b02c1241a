"""Definitions shared by all settings: the batch size "full", the limit of counts, the error."""

from typing import Final, Literal

FULL: Final = "full"
BatchSize = int | Literal["full"]

MOST: Final = 10**12
"""Upper limit of every count: far beyond any use, and representable in every number format."""


class SettingsError(ValueError):
    """Invalid settings; the message names the setting and what is allowed."""


def parse_batch_size(text: str) -> BatchSize:
    """Parse "full" or a whole number from 1; SettingsError for anything else."""
    if text.strip().lower() == FULL:
        return FULL
    try:
        size = int(text)
    except ValueError:
        size = 0
    if size < 1:
        raise SettingsError(f"batch size {text.strip()!r}: expected a whole number from 1, or full")
    return size
