"""The vocabulary of jobs: the messages that work elsewhere sends to the code that started it."""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from engine.settings import SettingsError
from engine.settings.text import clean, clean_lines

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

ReportProgress = Callable[[float, str], None]
"""Takes the fraction done (0 to 1) and a description of the current activity."""
ReportPartial = Callable[[Any], None]
"""Takes the result so far, of the same type as the final result."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a job."""

    fraction: float
    """0 to 1."""
    activity: str
    """The current activity, in a few words."""


@dataclass(frozen=True, slots=True)
class PartialResult:
    """The result of a job so far, of the same type as its final result."""

    value: Any


@dataclass(frozen=True, slots=True)
class Result(Generic[T_co]):
    """The successful end of a job."""

    value: T_co


@dataclass(frozen=True, slots=True)
class Death:
    """The unexpected end of a process."""

    signal: str = ""
    """The signal that ended it, e.g. "SIGKILL"; empty if there was none or it is unknown."""

    def __str__(self) -> str:
        return f"was ended by {self.signal}" if self.signal else "has died"


@dataclass(frozen=True, slots=True)
class Failure:
    """The end of a job without a result."""

    detail: str
    traceback: str = ""
    is_usage_error: bool = False
    """True if the user asked for something missing, such as a device; nothing broke."""
    death: Death | None = None
    """The cause, if the process ended before it had a result."""

    def __post_init__(self) -> None:
        """Clean the text, which may quote exceptions of a user's code."""
        object.__setattr__(self, "detail", clean(self.detail))
        object.__setattr__(self, "traceback", clean_lines(self.traceback))


class JobError(Exception):
    """Raised by work that cannot continue; the message is the reason, for the user."""

    def __init__(self, message: str, *, is_usage_error: bool = False, traceback: str = "") -> None:
        super().__init__(message)
        self.is_usage_error = is_usage_error
        self.traceback = traceback


class Job(Protocol[T_co]):
    """Work in progress in another process or thread."""

    def poll(self) -> Sequence[Progress | PartialResult | Result[T_co] | Failure]:
        """The messages since the last call, oldest first; never blocks.

        The last message of a job is a Result or a Failure.
        """

    def close(self) -> None:
        """Cancel the job if it is still running, leaving nothing behind. Safe to repeat."""


def run_job(work: Callable[[], T]) -> Result[T] | Failure:
    """Run the work; return its result, or its failure instead of raising an exception."""
    try:
        return Result(work())
    except SettingsError as error:
        return Failure(detail=str(error), is_usage_error=True)
    except JobError as error:
        return Failure(
            detail=str(error), traceback=error.traceback, is_usage_error=error.is_usage_error
        )
    except Exception as error:
        return Failure(detail=f"{type(error).__name__}: {error}", traceback=traceback.format_exc())
