"""The vocabulary of jobs: the messages from work in another process or thread to its starter."""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from engine.settings import SettingsError
from engine.settings.text import clean, clean_lines

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

ReportProgress = Callable[[float, str], None]
"""Takes the fraction that is done (0 to 1), and what is being done."""
ReportPartial = Callable[[Any], None]
"""Takes what was found so far, of the kind of the result."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a job."""

    fraction: float
    """0 to 1."""
    activity: str
    """The work at hand, in a few words."""


@dataclass(frozen=True, slots=True)
class PartialResult:
    """The findings of a job so far, where they are worth a look: of the kind of its result."""

    value: Any


@dataclass(frozen=True, slots=True)
class Result(Generic[T_co]):
    """The end of a job that went well."""

    value: T_co


@dataclass(frozen=True, slots=True)
class Death:
    """The end of a process that should have gone on."""

    signal: str = ""
    """The signal that ended it, e.g. "SIGKILL"; empty when there was none or nobody knows."""

    def __str__(self) -> str:
        return f"was ended by {self.signal}" if self.signal else "has died"


@dataclass(frozen=True, slots=True)
class Failure:
    """The end of a job without a result."""

    detail: str
    traceback: str = ""
    is_usage_error: bool = False
    """The user asked for what is not there: a device, a package; nothing broke."""
    death: Death | None = None
    """Its process ended before it had an answer, and so."""

    def __post_init__(self) -> None:
        """Clean what a user's code may have put into its exceptions."""
        object.__setattr__(self, "detail", clean(self.detail))
        object.__setattr__(self, "traceback", clean_lines(self.traceback))


class JobError(Exception):
    """Raised by work that cannot go on and knows why; the message says it."""

    def __init__(self, message: str, *, is_usage_error: bool = False, traceback: str = "") -> None:
        super().__init__(message)
        self.is_usage_error = is_usage_error
        self.traceback = traceback


class Job(Protocol[T_co]):
    """Work that goes on elsewhere."""

    def poll(self) -> Sequence[Progress | PartialResult | Result[T_co] | Failure]:
        """The messages since the last call, oldest first; never blocks.

        The last is a Result or a Failure.
        """

    def close(self) -> None:
        """Cancel it if it still runs; nothing of it is left. Safe to repeat."""


def run_job(work: Callable[[], T]) -> Result[T] | Failure:
    """Run the work; return its result or its failure, for whoever waits must hear of either."""
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
