"""The form of the key table: a key's name, its action and its texts. Knows no key."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stroke:
    """One key and its action: the main screen's, or "app." and the app's."""

    key: str
    """As Textual names it; several, by commas, where they do the same."""
    shown: str
    action: str
    title: str
    """Its name in the command palette."""


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
    """In a narrow footer the lowest ranks stay."""
    shown: str = ""
    """All keys in one, where they are many."""

    @property
    def keys(self) -> str:
        """All its keys, such as "[ ]"."""
        return self.shown or " ".join(stroke.shown for stroke in self.strokes)
