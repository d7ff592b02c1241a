"""The processes and files of a build that is given up, and of one that is killed."""

import os
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest
from sessions import PATIENCE

from engine.jobs.messages import Failure, ReportProgress
from engine.jobs.process_job import ProcessJob
from engine.session.builds.job import clear_up
from engine.training.compiled.cache.programs import BuildCache
from engine.training.compiled.cache.work_folder import abandon_work


def test_a_build_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path / "builds")
    with cache.work() as folder:
        (folder / "wrapper.cpp").touch()
        abandon_work()
        assert not [*cache.folder.iterdir()]


def killed(folder: Path, report: ReportProgress) -> None:
    """Stands for a job whose compiler is at work when memory runs out."""
    os.setpgid(0, 0)
    compiler = subprocess.Popen(["sleep", "600"])
    with BuildCache(folder).work():
        (folder.parent / "compiler").write_text(str(compiler.pid))
        os.kill(os.getpid(), 9)


def test_a_build_that_is_killed_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "gdtui" / "builds"
    with ProcessJob(partial(killed, folder), "compile", at_death=clear_up) as job:
        end = job.wait()
    assert isinstance(end, Failure)
    assert end.detail == "its process was ended by SIGKILL"
    assert not [*folder.iterdir()]
    compiler = Path("/proc", (folder.parent / "compiler").read_text(), "stat")
    deadline = time.monotonic() + PATIENCE
    while compiler.exists() and compiler.read_text().split()[2] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.01)
