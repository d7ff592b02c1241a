"""The left end of the header, which the first frame shows before any record is read. Pure."""

from collections.abc import Sequence

from engine.settings import RunSettings
from gdtui.state.overlay.comparability import problem_titles
from gdtui.view.text.styled import StyledText

_SEPARATOR = StyledText.of(" · ", "$quiet")


def title_parts(runs: Sequence[RunSettings]) -> list[StyledText]:
    """The program's name, the number of runs if there are several, and their problems."""
    parts = [StyledText.of("gdtui", "bold $primary")]
    if len(runs) > 1:
        parts.append(StyledText.of(f"{len(runs)} runs", "bold"))
    return [*parts, StyledText.of(", ".join(problem_titles(runs)), "bold")]


def joined(parts: Sequence[StyledText]) -> StyledText:
    """These parts of the header, separated."""
    return _SEPARATOR.join(parts)
