"""A recording in memory."""

from dataclasses import dataclass

Frame = tuple[float, str]
"""The seconds at which it is shown, and the sequences that turn the frame before into it."""


@dataclass(frozen=True, slots=True)
class Footage:
    """The frames of a recording."""

    columns: int
    rows: int
    frames: tuple[Frame, ...]
    """In the order of time; the last is empty, at the end of the recording."""
    text: str
    """The last screen, as lines."""

    @property
    def seconds(self) -> float:
        """The length of the recording."""
        return self.frames[-1][0] if self.frames else 0.0
