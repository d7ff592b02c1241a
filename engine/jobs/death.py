"""How a process died, in the words that the user reads."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Death:
    """The end of a process that should have gone on."""

    signal: str = ""
    """Such as "SIGKILL"; empty where it ended otherwise, or nobody knows."""

    def __str__(self) -> str:
        return f"was ended by {self.signal}" if self.signal else "has died"
