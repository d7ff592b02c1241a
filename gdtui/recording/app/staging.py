"""The screen to record, what happens on it, and why a recording may not come about."""

from dataclasses import dataclass

from gdtui.keys.script import Press


@dataclass(frozen=True, slots=True, kw_only=True)
class Staging:
    """The screen to record, and what happens on it."""

    columns: int
    rows: int
    fps: float
    theme: str
    keys: tuple[Press, ...]
    colors: str
    """The colours of the terminal, of COLOR_SYSTEMS."""
    seconds: float | None
    """The length; None means until the run and the keys have ended."""


class AppCrashedError(Exception):
    """The app stopped on an internal error, which the message describes."""


class AppInterruptedError(Exception):
    """A signal, or Ctrl+C in the script of keys, ended the app."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status
