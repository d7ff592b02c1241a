"""What becomes of a worker that cannot write its log, or cannot have it."""

import os
import resource
import signal

import pytest
from sessions import ENDED, StartRun, check_contiguous

from engine.log.file import LogWriter
from engine.log.notices import NoticeKind
from engine.log.records import Chunk
from engine.settings import FULL, VariantSettings


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs Linux's prlimit")
def test_a_full_disk_pauses_says_so_and_loses_nothing(start_run: StartRun) -> None:
    """A limit on the size of the worker's files stands in for a full disk: the write fails alike."""
    watched = start_run((FULL, 1), epochs=3)
    watched.until(lambda: watched.tallies["SGD"].batches)
    pid = watched.session.pids["SGD"]
    limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    size = watched.run.variant_log("SGD").stat().st_size
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size + 500, limits[1]))
    watched.until(lambda: watched.notices)
    assert watched.notices[0].kind is NoticeKind.LOG_BLOCKED
    assert "nothing is lost" in watched.notices[0].text
    watched.session.resume()  # still full
    watched.until(lambda: len(watched.notices) > 1)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
    watched.session.resume()
    watched.until(lambda: watched.states() == ENDED)
    assert watched.notices[-1].kind is NoticeKind.LOG_UNBLOCKED
    assert watched.tallies["SGD"].batches == 6000
    check_contiguous(watched.of("SGD", Chunk))


def test_a_worker_that_cannot_have_its_log_says_why(start_run: StartRun) -> None:
    """Whoever takes the place of a dead worker finds its log held: that must not pass for a pause."""
    watched = start_run((FULL,), epochs=10**6)
    watched.until(lambda: watched.session.pids)
    os.kill(watched.session.pids["Batch GD"], signal.SIGKILL)
    watched.until(lambda: watched.notices)
    with LogWriter(watched.run.variant_log("Batch GD")):
        watched.session.restart({"Batch GD": VariantSettings(batch_size=FULL)})
        watched.until(lambda: len(watched.notices) > 1)
    assert [notice.kind for notice in watched.notices] == [NoticeKind.DIED] * 2
    assert "another writer holds this log" in watched.notices[-1].text
