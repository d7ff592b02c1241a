"""The environment of a recording, which does not depend on the user's terminal."""

import contextlib
import os
from collections.abc import Iterator
from typing import Final

COLOR_SYSTEMS: Final = {"truecolor": "truecolor", "256": "256", "16": "standard"}
"""Textual's names of the colours that a terminal may have."""
_LOOKS: Final = ("TEXTUAL", "NO_COLOR")
"""The beginnings of the variables by which Textual changes what it paints."""


@contextlib.contextmanager
def neutral_environment(colors: str) -> Iterator[None]:
    """Set the variables that Textual reads when it is imported or an app is created.

    `colors`: of COLOR_SYSTEMS.
    """
    before = dict(os.environ)
    for name in before:
        if name.startswith(_LOOKS):
            del os.environ[name]
    os.environ["TEXTUAL_COLOR_SYSTEM"] = COLOR_SYSTEMS[colors]
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
