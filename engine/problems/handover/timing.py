"""Times a user's code, without its imports of packages; says what took long and is repeated."""

import builtins
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from engine.problems.handover.module_state import is_users

_LONG: Final = 1.0
"""Seconds of loading that are worth a note."""


class Seconds:
    """The time of a block."""

    def __init__(self) -> None:
        self.own = 0.0
        """Seconds without the imports of packages."""


@contextmanager
def timed(folder: Path) -> Iterator[Seconds]:
    """Time the block; modules in `folder` count as the user's code, imports of others do not."""
    found, foreign = Seconds(), [0.0]
    real = builtins.__import__

    def import_timed(name: str, *arguments: Any, **options: Any) -> ModuleType:
        if options.get("level", arguments[3] if len(arguments) > 3 else 0):
            return real(name, *arguments, **options)  # from a package that is being timed
        start = time.perf_counter()
        foreign.append(0.0)
        try:
            return real(name, *arguments, **options)
        finally:
            nested = foreign.pop()
            file = getattr(sys.modules.get(name), "__file__", None) or ""
            is_ours = is_users(file, folder)
            foreign[-1] += nested if is_ours else time.perf_counter() - start

    start = time.perf_counter()
    builtins.__import__ = import_timed
    try:
        yield found
    finally:
        builtins.__import__ = real
        found.own = time.perf_counter() - start - foreign[0]


def notes_on(
    file: Path, running: float, making: float, obstacle: str, *, has_dataset: bool = False
) -> tuple[str, ...]:
    """Notes on what took long and is repeated by each worker.

    `running` are the seconds of the file, `making` those of its function, which workers only repeat
    if there is an `obstacle`.
    """
    found = []
    if running > _LONG:
        found.append(
            f"{file.name}: the lines outside its functions took {running:.1f} s, and each worker "
            "repeats them. To load data once, load them in problem() or a function that it calls"
        )
    if obstacle and making > _LONG:
        remedy = "give a function: Problem(train=load)"
        if has_dataset:
            remedy = "let the Dataset open files and connections in __getitem__"
        found.append(
            f"{file.name}: making the problem took {making:.1f} s, and each worker repeats it "
            f"({obstacle}). To load data once, {remedy}"
        )
    return tuple(found)
