"""Programs under a host: in a terminal, detached, stopped, and after the host was killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from hosts import end_run
from real_app import CONSOLE_SCRIPT
from terminal import PATIENCE, Terminal

from engine.log.directory import RunDirectory
from engine.log.follow import Follower
from engine.log.records import State
from engine.log.summary import Tally
from engine.session.host.note import read_notes
from engine.session.host.processes import wait_for_end

_PROGRAM = """
import os, signal, sys, time
def caught(number, _):
    print("caught", number, flush=True)
    sys.exit(7)
signal.signal(signal.SIGINT, caught)
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("pid", os.getpid())
for step in range(1, 10_000):
    size = tuple(os.get_terminal_size()) if os.isatty(1) else None
    print(f"step {step} loss {1 / step:.6f} on {size}", flush=True)
    time.sleep(0.02)
"""


_ASKING = """
import time
name = input("name? ")
for step in range(1, 9):
    print(f"step {step} loss {1 / step:.6f}", flush=True)
for step in range(9, 10_000):
    print(f"step {step} {name} {1 / step:.6f}", flush=True)
    time.sleep(0.02)
"""


def words(path: Path, *options: str) -> list[str]:
    """The command that runs the program above."""
    return [*CONSOLE_SCRIPT, "run", "--run-dir", str(path), *options, "--", sys.executable, "-c",
            _PROGRAM]  # fmt: skip


def detached(path: Path) -> int:
    """Start the program without a terminal; returns its process once it has printed that."""
    done = subprocess.run(words(path, "--detach"), stdout=subprocess.PIPE, timeout=PATIENCE)
    assert done.stdout.decode().strip() == str(path)
    (console,) = path.glob("[0-9]*.out")
    while b"step 3" not in console.read_bytes():
        time.sleep(0.02)
    return int(console.read_text().split("pid")[1].split()[0])


def tally(path: Path) -> Tally:
    """The figures of the run."""
    run = RunDirectory.open(path)
    (variant,) = run.info.settings.variants
    found = Tally(variant.name, variant.settings)
    for _, record in Follower(run).read():
        found.add(record)
    return found


def test_ctrl_c_and_the_terminal_are_the_programs(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with Terminal(words(path), env={**os.environ}, columns=120, rows=40) as window:
        window.wait_for("on (120, 40)")  # in the pane with its console
        window.send("]")
        window.wait_for("add gdtui.track")
        window.send("\x03")
        assert window.wait() == 7
    found = tally(path)
    assert found.state is State.FAILED
    assert "exit status 7" in found.detail
    assert found.batches > 0


def test_a_program_that_fails_at_once_is_shown_with_its_exit_status(tmp_path: Path) -> None:
    command = [*CONSOLE_SCRIPT, "run", "--run-dir", str(tmp_path / "run"), "--", "false"]
    with Terminal(command, env={**os.environ}, columns=120, rows=40) as window:
        window.wait_for("exit status 1")
        window.send("q")
        assert window.wait() == 1
        assert not window.says("crashed")


def test_a_program_outlives_its_terminal_and_fits_all_that_are_attached(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with Terminal(words(path), env={**os.environ}, columns=120, rows=40) as first:
        first.wait_for("on (120, 40)")
        first.resize(110, 42)
        first.wait_for("on (110, 42)")
        attach = [*CONSOLE_SCRIPT, "attach", str(path)]
        with Terminal(attach, env={**os.environ}, columns=130, rows=30) as second:
            second.wait_for("on (110, 30)")  # its columns, their rows
            (console,) = path.glob("[0-9]*.out")
            pid = int(console.read_text().split("pid")[1].split()[0])
            first.hang_up()
            second.wait_for("on (130, 30)")
            second.send("d")
            assert second.wait() == 0
        os.kill(pid, signal.SIGINT)
        assert wait_for_end([pid, *(note.pid for note in read_notes(path))], PATIENCE) == []
    assert tally(path).worker.exit_status == 7


def test_a_program_is_typed_to_and_what_it_changes_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "run"
    command = [*words(path)[:-1], _ASKING]
    with Terminal(command, env={**os.environ}, columns=120, rows=40) as window:
        window.wait_for("name?")
        window.send("I")
        window.wait_for("type to the program")
        window.send("train_loss\r")
        window.wait_for("step 9 train_loss")
        window.send("\x1b[27u")
        window.wait_for(lambda: window.says("C answers"))
        window.send("C")
        window.wait_for("2 the same training")
        window.send("2")
        window.wait_for("answered: it is the same training")
        window.send("\x03")
        window.wait()
    found = tally(path)
    assert found.origin is not None
    assert found.batches == found.updates > 30


def test_stop_ends_a_detached_program(tmp_path: Path) -> None:
    pid = detached(tmp_path / "run")
    end_run(tmp_path / "run")
    assert wait_for_end([pid], PATIENCE) == []
    assert tally(tmp_path / "run").state is State.STOPPED


def test_no_program_outlives_a_host_that_is_killed(tmp_path: Path) -> None:
    pid = detached(tmp_path / "run")
    (note,) = read_notes(tmp_path / "run")
    os.kill(note.pid, signal.SIGKILL)
    assert wait_for_end([pid], PATIENCE) == []


def test_signals_to_gdtui_run_are_the_programs(tmp_path: Path) -> None:
    process = subprocess.Popen(words(tmp_path / "run"), stdout=subprocess.PIPE)
    assert process.stdout is not None
    while b"step 2" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    assert b"caught 2" in process.stdout.read()
    assert process.wait(PATIENCE) == 7
