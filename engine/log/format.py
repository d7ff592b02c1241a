"""The version of the form of a run's files, and the refusal of a newer one.

One number stands in run.json and at the start of every log. It grows only when an older gdtui
would misread what is written: new fields with defaults and new kinds of records need none.
"""

import re
from typing import Final

FORMAT: Final = 2
"""The form that is written; all forms up to it are read.

1: a chunk lies within one epoch. 2: or holds several whole ones.
"""
_MOST: Final = 255
"""A log has one byte for it."""
_VERSION: Final = re.compile(r"[0-9][0-9A-Za-z.+!-]{0,31}")


def is_newer(number: object) -> bool:
    """True for the number of a form that only a later gdtui can read."""
    return isinstance(number, int) and FORMAT < number <= _MOST


def is_known(number: object) -> bool:
    """True for the number of a form that is read."""
    return isinstance(number, int) and 1 <= number <= FORMAT


def refusal(number: object, version: object = None) -> str:
    """The reason not to read that newer form, written by that version, and what to do about it."""
    is_version = isinstance(version, str) and _VERSION.fullmatch(version)
    writer = f"gdtui {version}" if is_version else "a later gdtui"
    return (
        f"was written by {writer} (format {number}); this gdtui reads up to format {FORMAT}. "
        "Upgrade it: pip install -U gdtui"
    )
