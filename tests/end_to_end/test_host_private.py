"""A run with umask 000 and a long path that is not ASCII: its user commands it, others cannot."""

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from real_app import CONSOLE_SCRIPT
from terminal import Terminal

from engine.log.directory import RunDirectory
from engine.session.host.address import socket_directory
from engine.session.host.note import read_notes

Cli = Callable[..., "CompletedProcess[str]"]

INTRUDER = """
import os, socket, sys
os.setgroups([])
os.setgid(12345)
os.setuid(12345)
os.stat(sys.argv[-1])  # the way to it is open
link = socket.socket(socket.AF_UNIX)
deeds = [lambda: link.connect(sys.argv[1])]
for path in sys.argv[1:]:
    deeds += [lambda path=path, flags=flags: os.open(path, flags) for flags in (0, 1, 2)]
    deeds += [lambda path=path: os.chmod(path, 0o777), lambda path=path: os.listdir(path)]
for deed in deeds:
    try:
        deed()
    except NotADirectoryError:
        pass
    except OSError as error:
        assert error.errno in (1, 13, 21), error
    else:
        sys.exit(1)
"""


def long_path(folder: Path, size: int) -> Path:
    """A path of so many bytes below the folder, of long names that are not ASCII."""
    path = folder
    while (left := size - len(os.fsencode(path))) > 2:
        name = "läufe " * 30
        path /= name[: max(1, (left - 1) // 2)].strip()
    return path


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to be another user")
def test_a_run_is_its_users_alone(
    tmp_path: Path, cli_in_process: Cli, cli_env: dict[str, str]
) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if Path(tempfile.gettempdir()) in folder.parents:
            folder.chmod(folder.stat().st_mode | 0o011)
    path = long_path(tmp_path / "open to all", 3900)
    path.mkdir(parents=True)
    command = [*CONSOLE_SCRIPT, "train", "--detach", "--run-dir", str(path), "--epochs", "100000"]
    started = subprocess.run(command, env=cli_env, umask=0, capture_output=True, check=True)
    assert os.fsdecode(started.stdout).strip() == str(path)
    try:
        (note,) = read_notes(path)
        assert cli_in_process("send", path, "batch-size 2 128").returncode == 0
        with Terminal([*CONSOLE_SCRIPT, "attach", str(path)], env=cli_env) as screen:
            screen.wait_for("attached")
            screen.send("d")
            assert screen.wait() == 0
        files = [Path(note.socket), socket_directory(), *path.iterdir()]
        assert {name.name for name in files} >= {"run.json", "session.gdlog"}
        for file in files:
            assert not stat.S_IMODE(file.lstat().st_mode) & 0o077, file
        assert subprocess.run([sys.executable, "-c", INTRUDER, *files], check=False).returncode == 0
    finally:
        stopped = cli_in_process("stop", path)
    assert (stopped.returncode, read_notes(path)) == (0, [])
    assert RunDirectory.open(path).path == path
