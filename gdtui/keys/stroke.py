"""The entries of the key table: a key's name, its action and its texts. Knows no key."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stroke:
    """One key and its action, of the main screen or, with the prefix "app.", of the app."""

    key: str
    """Textual's name of the key; several, separated by commas, if they do the same."""
    shown: str
    action: str
    title: str
    """Its name in the command palette."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be done, with the keys for both directions."""

    id: str
    group: str
    strokes: tuple[Stroke, ...]
    help: str
    """One sentence."""
    label: str = ""
    """Label in the footer; empty if it is never there."""
    shown: str = ""
    """All keys in one text, if there are many."""

    @property
    def keys(self) -> str:
        """All its keys, such as "[ ]"."""
        return self.shown or " ".join(stroke.shown for stroke in self.strokes)
