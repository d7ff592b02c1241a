"""Work in a process of its own: what whoever waits hears, and how it ends."""

import os
import signal
import time
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sessions import PATIENCE

from engine.jobs import process_job
from engine.jobs.fork_server import start_process
from engine.jobs.messages import Death, Failure, JobError, Progress, ReportProgress, Result
from engine.jobs.process_job import ProcessJob


def test_who_waits_for_a_process_hears_from_it_also_while_it_has_nothing_to_tell() -> None:
    heard: list[Progress] = []
    with ProcessJob(partial(silent, 0.7), "silent") as job:
        assert job.wait(heard.append) == Result("done")
    assert Progress(0.0, "starting") in heard


def silent(seconds: float, report: ReportProgress) -> str:
    time.sleep(seconds)
    return "done"


def killed(report: ReportProgress) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def gone(report: ReportProgress) -> None:
    raise SystemExit(3)


def test_a_death_is_a_failure_that_knows_its_cause() -> None:
    for work, death, said in (
        (killed, Death("SIGKILL"), "its process was ended by SIGKILL"),
        (gone, Death(), "its process has died"),
    ):
        with ProcessJob(work, "dying") as job:
            assert job.wait() == Failure(detail=said, death=death)
            assert job.poll() == [], "told once"


def printing(report: ReportProgress) -> None:
    os.write(1, b"nowhere")
    raise JobError("no such thing", is_usage_error=True, traceback="here")


def test_what_it_prints_goes_nowhere_and_what_it_knows_is_told(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with ProcessJob(printing, "printing") as job:
        assert job.wait() == Failure(detail="no such thing", is_usage_error=True, traceback="here")
    assert capfd.readouterr() == ("", "")


def test_one_that_is_cancelled_clears_up_and_one_that_has_a_result_does_not(
    tmp_path: Path,
) -> None:
    """So it does when its starter was killed."""
    with ProcessJob(partial(silent, 0.0), "done", at_abandoning=(tmp_path / "a").touch) as job:
        assert isinstance(job.wait(), Result)
    job = ProcessJob(
        partial(endless, tmp_path / "pid"), "endless", at_abandoning=(tmp_path / "b").touch
    )
    deadline = time.monotonic() + PATIENCE
    while not (tmp_path / "pid").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    job.close()
    assert {path.name for path in tmp_path.iterdir()} == {"pid", "b"}


def endless(path: Path, report: ReportProgress) -> None:
    path.write_text(str(os.getpid()))
    while True:
        time.sleep(0.01)


def test_closed_it_is_gone(tmp_path: Path) -> None:
    job = ProcessJob(partial(endless, tmp_path / "pid"), "endless")
    deadline = time.monotonic() + PATIENCE
    while not ((tmp_path / "pid").exists() and (tmp_path / "pid").read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    job.close()
    job.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_what_is_closed_before_it_began_is_closed_when_it_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Event()
    started: list[BaseProcess] = []

    def start(*arguments: Any, **names: Any) -> tuple[BaseProcess, Connection]:
        gate.wait(PATIENCE)
        process, pipe = start_process(*arguments, **names)
        started.append(process)
        return process, pipe

    monkeypatch.setattr(process_job, "start_process", start)
    job = ProcessJob(partial(silent, PATIENCE), "late")
    job.close()
    gate.set()
    deadline = time.monotonic() + PATIENCE / 2
    while not (started and not started[0].is_alive()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_one_that_cannot_be_started_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*arguments: Any, **names: Any) -> tuple[BaseProcess, Connection]:
        raise ValueError("no such luck")

    monkeypatch.setattr(process_job, "start_process", start)
    with ProcessJob(partial(silent, 0.0), "never") as job:
        assert job.wait() == Failure(detail="its process could not be started (no such luck)")
