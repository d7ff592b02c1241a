"""Imports a library without the module of its documentation, which may take most of the time."""

import contextlib
import sys
from collections.abc import Iterator
from types import ModuleType


@contextlib.contextmanager
def undocumented(module: str) -> Iterator[None]:
    """Let imports find an empty module instead of this one, unless it is there already."""
    empty = ModuleType(module)
    empty.docs = None  # type: ignore[attr-defined]
    sys.modules.setdefault(module, empty)
    try:
        yield
    finally:
        if sys.modules.get(module) is empty:
            del sys.modules[module]
