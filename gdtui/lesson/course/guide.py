"""The lesson in one app: the coach, and what the user did. Imports nothing heavy."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gdtui.lesson.course.coach import Coach


@dataclass(slots=True)
class Guide:
    """The lesson of one app, and what the user did in it; survives a change of the run."""

    coach: "Coach | None" = None
    """None before the lesson has begun."""
    is_shown: bool = False
    offer: str = ""
    """The line that offers the lesson on a first run; empty once it is hidden."""
    choices: int = 0
    choice: int | None = None
    opened: list[str] = field(default_factory=list)
    has_prepared: bool = False
    """True when the screen is as the current part wants it."""
