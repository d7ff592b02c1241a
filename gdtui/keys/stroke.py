"""What a key is called, which action of the app it runs, and what is said of it. Knows no key of them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stroke:
    """One key and the action of the app that it runs."""

    key: str
    """As Textual names it; several, by commas, where they do the same."""
    shown: str
    action: str
    title: str
    """What it does, in the command palette."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be done, with the keys that do it one way and the other."""

    id: str
    group: str
    strokes: tuple[Stroke, ...]
    help: str
    """One sentence."""
    label: str = ""
    """In the footer; none: not there."""
    rank: int = 9
    """Where the footer is narrow the lowest ranks stay."""
    shown: str = ""
    """All keys in one, where they are many."""

    @property
    def keys(self) -> str:
        """Such as "[ ]"."""
        return self.shown or " ".join(stroke.shown for stroke in self.strokes)
