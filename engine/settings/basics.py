"""Words that all settings share: the batch size "full", the limit of a count, the error."""

from typing import Final, Literal

FULL: Final = "full"
BatchSize = int | Literal["full"]

MOST: Final = 10**12
"""Upper limit of every count: beyond any use, within every number format."""


class SettingsError(ValueError):
    """Settings that cannot be trained with; the message names the setting and what is allowed."""


def parse_batch_size(text: str) -> BatchSize:
    """`"full"` or a whole number from 1; anything else raises SettingsError."""
    if text.strip().lower() == FULL:
        return FULL
    try:
        size = int(text)
    except ValueError:
        size = 0
    if size < 1:
        raise SettingsError(f"batch size {text.strip()!r}: expected a whole number from 1, or full")
    return size
