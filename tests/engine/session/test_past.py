"""Taking up a run that has ended, or whose workers are about to end."""

import threading
from collections.abc import Callable

import pytest

from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.writing.writer import LogWriter
from engine.session.past import ResumedRun

MakeRun = Callable[..., RunDirectory]


def test_it_waits_for_workers_whose_host_was_killed(make_run: MakeRun) -> None:
    run = make_run()
    left = LogWriter(run.variant_log("SGD"))
    ends = threading.Timer(0.2, left.close)
    ends.start()
    resumed = ResumedRun.take_up(run.path)
    ends.join()
    resumed.custody.release()


def test_a_run_with_a_host_is_refused_at_once(make_run: MakeRun) -> None:
    run = make_run()
    run.hold()
    with LogWriter(run.variant_log("SGD")), pytest.raises(RunDirectoryError, match="is running"):
        ResumedRun.take_up(run.path)
    run.custody.release()
