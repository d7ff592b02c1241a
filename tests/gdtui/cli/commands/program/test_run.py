"""`gdtui run` without a screen."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from engine.log.directory import RunDirectory
from engine.log.follow import Follower
from engine.log.records import Chunk
from gdtui.cli.main import main

_PROGRAM = """
import os, signal, sys
sys.stderr.write("to stderr\\r")
for step in range(1, 4):
    print(f"step {step} loss {1 / step}")
sys.stdout.write(sys.stdin.read())
status = int(sys.argv[1])
os.kill(os.getpid(), -status) if status < 0 else sys.exit(status)
"""


def run(path: Path, *words: str, status: int = 0) -> subprocess.CompletedProcess[bytes]:
    """Run the program above, with these options."""
    return subprocess.run(
        [sys.executable, "-m", "gdtui", "run", "--run-dir", path, *words, "--",
         sys.executable, "-c", _PROGRAM, str(status)],
        input=b"no newline \xff", capture_output=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize(("status", "expected"), [(0, 0), (7, 7), (-signal.SIGKILL, 137)])
def test_output_and_exit_status_are_the_programs(
    tmp_path: Path, status: int, expected: int
) -> None:
    path = tmp_path / "run"
    done = run(path, "--quiet", status=status)
    assert done.returncode == expected
    lines = b"".join(b"step %d loss %s\n" % (k, str(1 / k).encode()) for k in (1, 2, 3))
    assert done.stdout == lines + b"no newline \xff"
    assert done.stderr == b"to stderr\r"
    opened = RunDirectory.open(path)
    chunks = [each for _, each in Follower(opened).read() if isinstance(each, Chunk)]
    assert sum(chunk.batches for chunk in chunks) == 3
    console = opened.variant_output(opened.info.settings.variants[0].name)
    assert sorted(console.read_bytes()) == sorted(done.stdout + done.stderr)
    assert stat.S_IMODE(console.stat().st_mode) == 0o600


def test_json_is_all_of_stdout_and_no_console_keeps_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = run(tmp_path / "run", "--json", "--no-console")
    report = json.loads(done.stdout)
    assert report["variants"][0]["state"] == "finished"
    assert report["variants"][0]["updates"] == 3
    assert b"step 3 loss" in done.stderr
    assert b"read as: key: value" in done.stderr
    assert not [*(tmp_path / "run").glob("*.out")]
    for command in (["resume"], ["train", "--like"]):  # only the program could do that
        assert main([*command, str(tmp_path / "run")]) == 2
        assert "trained by a program" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("program", "status", "message"),
    [("/no/such/program", 127, "No such file"), ("/etc", 126, "Permission denied")],
)
def test_a_program_that_cannot_be_started_leaves_nothing(
    tmp_path: Path, program: str, status: int, message: str
) -> None:
    command = [sys.executable, "-m", "gdtui", "run", "--run-dir", tmp_path / "run", program]
    done = subprocess.run(command, capture_output=True, timeout=60, env=os.environ)
    assert done.returncode == status
    assert message in done.stderr.decode()
    assert not (tmp_path / "run").exists()
