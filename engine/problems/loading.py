"""Loads a problem in a separate process before a run begins. Imports no torch and no user code."""

from collections.abc import Callable
from functools import partial
from typing import Final

from engine.jobs.messages import Failure, Progress
from engine.jobs.process_job import ProcessJob
from engine.log.filesystem.private import remove_private
from engine.problem import ProblemError
from engine.problems.error_messages import shown
from engine.problems.loader import Loaded, LoadTask, load_here
from engine.problems.user_file import file_of

_STOP_SECONDS: Final = 2.0


class LoadingError(ProblemError):
    """A problem that could not be loaded; `traceback` comes from the process that tried."""

    def __init__(self, message: str, traceback: str = "") -> None:
        super().__init__(message)
        self.traceback = traceback


def load(task: LoadTask, report: Callable[[Progress], None] = lambda progress: None) -> Loaded:
    """The problem's facts; blocks until the problem is loaded, and calls `report` meanwhile.

    Raises LoadingError, whose message says what is wrong.
    """
    work = partial(load_here, task)
    with ProcessJob(
        work,
        "loader",
        at_abandoning=partial(remove_private, task.stored),
        patience=_STOP_SECONDS,
        subject="the process that loads problems",
    ) as job:
        end = job.wait(report)
    if not isinstance(end, Failure):
        return end.value
    if end.death is None:
        raise LoadingError(end.detail, end.traceback)
    file = file_of(task.problem)
    name = task.problem if file is None else shown(file)
    cause = end.death if end.death.signal else "ended by itself"
    raise LoadingError(f"{name}: the process that loaded it {cause} without an error message")
