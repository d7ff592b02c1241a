"""Work on a thread of this process: its messages, its end, the parent of its processes."""

import os
import threading
import time
from typing import Any

from sessions import PATIENCE

from engine.jobs.messages import (
    Failure,
    PartialResult,
    Progress,
    ReportPartial,
    ReportProgress,
    Result,
)
from engine.jobs.process_job import ProcessJob
from engine.jobs.thread_job import ThreadJob
from engine.settings import SettingsError


def everything(job: ThreadJob[Any]) -> list[Any]:
    """All that it tells, to its end."""
    messages: list[Any] = []
    deadline = time.monotonic() + PATIENCE
    while not any(isinstance(each, Result | Failure) for each in messages):
        assert time.monotonic() < deadline
        messages += job.poll()
        time.sleep(0.005)
    return messages


def test_what_it_tells_and_finds_comes_in_order() -> None:
    def work(report: ReportProgress, report_partial: ReportPartial) -> str:
        report(0.5, "half")
        report_partial("so far")
        return "all"

    assert everything(ThreadJob(work, "work")) == [
        Progress(0.5, "half"),
        PartialResult("so far"),
        Result("all"),
    ]


def test_what_went_wrong_is_told() -> None:
    def broken(report: ReportProgress, report_partial: ReportPartial) -> None:
        raise OSError("no room")

    def refused(report: ReportProgress, report_partial: ReportPartial) -> None:
        raise SettingsError("no such device")

    (failed,) = everything(ThreadJob(broken, "work"))
    assert failed.detail == "OSError: no room"
    assert "in broken" in failed.traceback
    assert everything(ThreadJob(refused, "work")) == [
        Failure(detail="no such device", is_usage_error=True)
    ]


def test_closed_it_cleans_up_and_tells_no_end() -> None:
    said: list[str] = []
    began = threading.Event()

    def endless(report: ReportProgress, report_partial: ReportPartial) -> None:
        try:
            while True:
                began.set()
                report(0.1, "on its way")
                time.sleep(0.001)
        except Exception:
            said.append("took it for a failure")
        finally:
            said.append("cleaned up")

    job = ThreadJob(endless, "work")
    assert began.wait(PATIENCE)
    job.close()
    job.close()
    assert said == ["cleaned up"]
    assert not [each for each in job.poll() if isinstance(each, Result | Failure)]


def parent(report: ReportProgress) -> int:
    """The process that this one was forked from."""
    return os.getppid()


def forked(report: ReportProgress, report_partial: ReportPartial) -> int:
    with ProcessJob(parent, "parent") as job:
        end = job.wait(lambda progress: report(progress.fraction, progress.activity))
    assert isinstance(end, Result)
    return end.value


def test_what_it_starts_is_forked_from_the_server_that_runs_already() -> None:
    here = forked(lambda share, what: None, lambda found: None)
    (found,) = [each for each in everything(ThreadJob(forked, "work")) if isinstance(each, Result)]
    assert found.value == here != os.getpid()
