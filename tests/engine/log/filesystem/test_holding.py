"""Directories in use: by a lock that ends with its process, never by how old something is."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.log.filesystem.holding import held, is_held

HOLD = """
import sys, time
from pathlib import Path
from engine.log.filesystem.holding import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(1000)
"""


def test_a_directory_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    with held(tmp_path):
        assert is_held(tmp_path)
        with pytest.raises(BlockingIOError), held(tmp_path):
            pass
        assert is_held(tmp_path)
    assert not is_held(tmp_path)
    with held(tmp_path):
        pass


def test_what_is_no_directory_is_not_held(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not is_held(tmp_path / "file")
    assert not is_held(tmp_path / "nothing")
    with pytest.raises(NotADirectoryError), held(tmp_path / "file"):
        pass


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    assert is_held(tmp_path)
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    assert is_held(moved), "whatever its name"
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    assert not is_held(moved)
