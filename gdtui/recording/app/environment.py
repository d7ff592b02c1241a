"""The environment of a recording, which does not depend on the terminal of whoever records."""

import contextlib
import os
from collections.abc import Iterator
from typing import Final

_LOOK: Final = {"TEXTUAL_COLOR_SYSTEM": "truecolor"}
"""The colours of the virtual terminal."""
_LOOKS: Final = ("TEXTUAL", "NO_COLOR")
"""The beginnings of the variables by which Textual changes what it paints."""


@contextlib.contextmanager
def neutral_environment() -> Iterator[None]:
    """Set the variables that Textual reads when it is imported or an app is created."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(_LOOKS):
            del os.environ[name]
    os.environ.update(_LOOK)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
