"""Where in a file something is wrong, in the words that a user would look for it with."""

from dataclasses import dataclass
from pathlib import Path

from engine.problems.error_messages import shown
from engine.settings import SettingsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A file, and a column or an array of it."""

    path: Path
    name: str = ""
    """Such as "column 'price'" or "array y_test"; "" for the file as a whole."""
    unit: str = "row"
    """What samples are called there: line or row."""
    first: int = 1
    """The number of the first sample."""

    def of(self, name: str) -> "Place":
        """The same file at another column or array."""
        return Place(path=self.path, name=name, unit=self.unit, first=self.first)

    def wrong(self, what: str, sample: int | None = None) -> SettingsError:
        """The error to raise; `sample` counts from 0."""
        parts = [shown(self.path)]
        if self.name:
            parts.append(self.name)
        if sample is not None:
            parts.append(f"{self.unit} {self.first + sample:,}")
        return SettingsError(f"{', '.join(parts)}: {what}")


def check_readable(path: Path) -> None:
    """SettingsError unless there is a file that may be read."""
    try:
        with path.open("rb") as file:
            is_empty = not file.read(1)
    except OSError as error:
        raise SettingsError(f"cannot read {shown(path)}: {error.strerror}") from None
    if is_empty:
        raise SettingsError(f"{shown(path)}: the file is empty")
