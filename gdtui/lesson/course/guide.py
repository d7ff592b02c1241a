"""The lesson in one app: the coach, and what the user did. Imports nothing heavy."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.log.directory import RunDirectory
    from engine.settings import RunSettings
    from gdtui.lesson.course.coach import Coach

OpenRun = Callable[["RunSettings"], "tuple[RunDirectory, Callable[[], Any]]"]
"""Creates a run; returns it with the function that starts it, and returns controls and source."""


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
    open_run: OpenRun | None = None
    """Opens the run of a step that needs another one; None: no such step can be taken."""
    is_away: bool = False
    """True while the run of a step lies on top of the lesson's."""

    def forget_begun(self) -> None:
        """Let the current part begin anew, with the facts of the run that is shown next."""
        self.has_prepared = False
        if self.coach is not None:
            self.coach = self.coach.from_its_beginning()
