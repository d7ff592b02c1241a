"""A log that cannot be written, or cannot be had, and the trail of weights beside it."""

import errno
import os
import resource
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from sessions import ENDED, StartRun, check_contiguous

from engine.log.file import LogReader
from engine.log.notices import NoticeKind
from engine.log.records import Chunk, End
from engine.log.writing.writer import LogWriter
from engine.measure.weights_log import Trail
from engine.problems import registry
from engine.settings import FULL, VariantSettings
from engine.training.trainer import Trainer
from engine.worker.protocol import LogBlocked, LogUnblocked, Note
from engine.worker.recording.recorder import Recorder


class Notes(list[Note]):
    """A mailbox that keeps what is sent."""

    def send(self, note: Note) -> None:
        self.append(note)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs Linux's prlimit")
def test_a_full_disk_pauses_says_so_and_loses_nothing(start_run: StartRun) -> None:
    """A limit on the size of the worker's files acts as a full disk: the write fails alike."""
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
    """A dead worker's replacement finds its log held: that must not pass for a pause."""
    watched = start_run((FULL,), epochs=10**6)
    watched.until(lambda: watched.session.pids)
    os.kill(watched.session.pids["Batch GD"], signal.SIGKILL)
    watched.until(lambda: watched.notices)
    with LogWriter(watched.run.variant_log("Batch GD")):
        watched.session.restart({"Batch GD": VariantSettings(batch_size=FULL)})
        watched.until(lambda: len(watched.notices) > 1)
    assert [notice.kind for notice in watched.notices] == [NoticeKind.DIED] * 2
    assert "another process is writing this log" in watched.notices[-1].text


def test_a_write_that_succeeds_again_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int, data: bytes, offset: int) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    notes = Notes()
    with LogWriter(tmp_path / "a.gdlog") as log:
        recorder = Recorder(log, notes)  # type: ignore[arg-type]
        with monkeypatch.context() as disk:
            disk.setattr("engine.log.writing.writer.os.pwrite", full)
            recorder.write(End())
            recorder.write(End())
        recorder.write(End())
    assert [type(note) for note in notes] == [LogBlocked, LogUnblocked]
    assert len(list(LogReader(tmp_path / "a.gdlog"))) == 3


def test_the_first_and_the_last_weights_are_kept(tmp_path: Path) -> None:
    settings = VariantSettings(batch_size=10)
    trainer = Trainer(registry.load("synthetic", 0), settings, 0, torch.device("cpu"))
    with LogWriter(tmp_path / "a.gdlog") as log:
        recorder = Recorder(log, Notes())  # type: ignore[arg-type]
        recorder.begin_trail(trainer)
        trainer.advance(20)
        recorder.keep_weights(trainer, is_last=True)
    rows = Trail(tmp_path / "a.weights").read()
    assert rows["updates"].tolist() == [0, 20]
    assert np.array_equal(rows["weights"][-1], trainer.weights())
