"""The format version of a run's files, and the refusal of a newer one.

The number is in run.json and at the start of every log. It increases only when an older gdtui
would misread the files; new fields with defaults and new kinds of records do not require that.
"""

import re
from typing import Final

FORMAT: Final = 2
"""The format that is written; all formats up to it can be read.

In format 1, a chunk lies within one epoch. In format 2, it may also hold several whole epochs.
"""
CHECKPOINTS: Final = "checkpoints"
"""The directory in a run's directory that holds its checkpoints."""
CHECKPOINT_SUFFIX: Final = ".ckpt"
_MOST: Final = 255
"""The log stores the number in one byte."""
_VERSION: Final = re.compile(r"[0-9][0-9A-Za-z.+!-]{0,31}")


def is_newer(number: object) -> bool:
    """True for the number of a format that only a later gdtui can read."""
    return isinstance(number, int) and FORMAT < number <= _MOST


def is_known(number: object) -> bool:
    """True for the number of a format that can be read."""
    return isinstance(number, int) and 1 <= number <= FORMAT


def refusal(number: object, version: object = None) -> str:
    """The reason why a newer format cannot be read, and what to do about it."""
    is_version = isinstance(version, str) and _VERSION.fullmatch(version)
    writer = f"gdtui {version}" if is_version else "a later gdtui"
    return (
        f"was written by {writer} (format {number}); this gdtui reads up to format {FORMAT}. "
        "Upgrade it: pip install -U gdtui"
    )
