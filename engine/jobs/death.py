"""The death of a process, in words for the user."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Death:
    """The end of a process that should have gone on."""

    signal: str = ""
    """The signal that ended it, e.g. "SIGKILL"; empty when there was none or nobody knows."""

    def __str__(self) -> str:
        return f"was ended by {self.signal}" if self.signal else "has died"
