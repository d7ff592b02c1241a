"""How screens show notes. Knows no screen."""

from typing import Protocol

from textual.notifications import SeverityLevel


class ShowNotes(Protocol):
    """Shows notes to the user for as long as it takes to read them."""

    def __call__(self, notes: list[str], severity: SeverityLevel = "information") -> None: ...
