"""Runs that outlive their terminal: detached or hung up, commanded and stopped from elsewhere."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from hosted_runs import rows
from real_app import CONSOLE_SCRIPT
from terminal import PATIENCE, Terminal

from engine.log.directory import RunDirectory
from engine.log.follow import Follower
from engine.log.records import Changed
from engine.session.host.note import read_notes
from engine.session.host.processes import descendants, is_alive

Cli = Callable[..., "CompletedProcess[str]"]
LONG = ("--batch-sizes", "64,1", "--epochs", "100000", "--pace", "0.5")


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def has_begun(path: Path) -> bool:
    return bool(read_notes(path)) and len(rows(path)) == 2


def test_training_goes_on_when_the_terminal_is_gone(
    tmp_path: Path, cli_in_process: Cli, cli_env: dict[str, str]
) -> None:
    path = tmp_path / "a path with blänks" / ("long" * 20) / "run"
    temporary = tmp_path / ("t" * 80)  # too long for the address of a socket
    temporary.mkdir()
    cli_env["TMPDIR"] = str(temporary)
    with Terminal([*CONSOLE_SCRIPT, "train", "--run-dir", str(path), *LONG], env=cli_env) as shell:
        until(lambda: has_begun(path))
        host = shell.pid
        shell.hang_up()
        before = rows(path)
        until(lambda: all(count > before[name] for name, count in rows(path).items()))

        assert cli_in_process("send", path, "batch-size 2 128", "lr Mini-batch 0.5").returncode == 0
        until(lambda: len(changes(path)) == 2)
        assert changes(path) == {"SGD": (128, 0.01), "Mini-batch": (64, 0.5)}
        wrong = cli_in_process("send", path, "batch-size 3 128")
        assert wrong.returncode == 2
        assert "1 Mini-batch, 2 SGD" in wrong.stderr

        processes = descendants(host)
        assert len(processes) >= 4
        stopped = cli_in_process("stop", path)
        assert (stopped.returncode, stopped.stderr) == (0, "")
        assert [pid for pid in processes if is_alive(pid)] == []
    assert "stopped" in (path / "host.out").read_text()
    assert "Traceback" not in (path / "host.out").read_text()
    assert read_notes(path) == []
    assert not Follower(RunDirectory.open(path)).damage
    again = cli_in_process("stop", path)
    assert (again.returncode, "ended already" in again.stdout) == (0, True)
    sent = cli_in_process("send", path, "pause")
    assert (sent.returncode, "has ended" in sent.stderr) == (1, True)


def changes(path: Path) -> dict[str, tuple[object, float]]:
    """Batch size and lr of the last change of each variant."""
    found = list(Follower(RunDirectory.open(path)).read(10**9))
    settings = {name: each.settings for name, each in found if isinstance(each, Changed)}
    return {name: (each.batch_size, each.lr) for name, each in settings.items()}


def test_a_detached_run_is_listed_with_its_host_and_finishes(
    tmp_path: Path, cli: Cli, cli_in_process: Cli, cli_env: dict[str, str]
) -> None:
    started = cli("train", "--detach", "--batch-sizes", "64", "--epochs", "3", "--pace", "0.02")
    assert (started.returncode, started.stderr) == (0, "")
    path = Path(started.stdout.strip())
    (note,) = read_notes(path)
    assert cli_in_process("send", path, "pause").returncode == 0
    assert os.getsid(note.pid) == note.pid
    (listed,) = json.loads(cli_in_process("runs", "--json").stdout)["runs"]
    assert (listed["state"], listed["pid"], listed["viewers"]) == ("running", note.pid, 0)
    assert (listed["path"], listed["variants"]) == (str(path), ["Mini-batch"])
    assert f":{note.pid}" in cli_in_process("runs").stdout
    assert cli_in_process("send", path, "pace free", "resume").returncode == 0
    until(lambda: not is_alive(note.pid))
    (listed,) = json.loads(cli_in_process("runs", "--json").stdout)["runs"]
    assert (listed["state"], listed["host"], listed["pid"]) == ("finished", None, None)
    assert rows(path) == {"Mini-batch": 3 * 32}
    assert "finished" in (path / "host.out").read_text()


def test_what_only_a_worker_can_tell_ends_the_command_that_detaches(
    tmp_path: Path, cli: Cli
) -> None:
    path = tmp_path / "run"
    started = cli("train", "--detach", "--run-dir", path, "--device", "cuda:99")
    assert (started.returncode, started.stdout) == (2, "")
    assert "cuda:99" in started.stderr
    assert not path.exists()


def test_a_killed_host_leaves_no_worker_and_is_recognised(
    tmp_path: Path, cli_in_process: Cli, cli_env: dict[str, str]
) -> None:
    path = tmp_path / "run"
    command = [*CONSOLE_SCRIPT, "train", "--run-dir", str(path), *LONG]
    with subprocess.Popen(command, env=cli_env, stderr=subprocess.DEVNULL) as host:
        until(lambda: has_begun(path))
        before, processes = rows(path), descendants(host.pid)
        host.kill()
        until(lambda: not any(map(is_alive, processes)))
    assert all(count >= before[name] for name, count in rows(path).items())
    sent = cli_in_process("send", path, "pause")
    assert (sent.returncode, "has ended" in sent.stderr) == (1, True)
    (listed,) = json.loads(cli_in_process("runs", "--json").stdout)["runs"] or [{"host": None}]
    assert listed["host"] is None


def test_two_attached_terminals_control_one_run(
    cli: Cli, cli_in_process: Cli, cli_env: dict[str, str]
) -> None:
    started = cli("train", "--detach", *LONG)
    assert (started.returncode, started.stderr) == (0, "")
    path = Path(started.stdout.strip())
    attach = [*CONSOLE_SCRIPT, "attach"]
    with Terminal(attach, env=cli_env) as one, Terminal(attach, env=cli_env) as other:
        for screen in (one, other):
            screen.wait_for("attached")
            screen.wait_for(lambda screen=screen: "all data" in screen.text)
        (listed,) = json.loads(cli_in_process("runs", "--json").stdout)["runs"]
        assert listed["viewers"] == 2
        one.send("2]")
        other.wait_for(lambda: changes(path) == {"SGD": (2, 0.01)} and "SGD → 2" in other.text)
        other.send("1.")
        one.wait_for(lambda: changes(path).get("Mini-batch") == (64, 0.02))

        os.kill(one.pid, signal.SIGKILL)
        other.send("d")
        assert other.wait() == 0
        other.wait_for(f"gdtui attach {path.name}")
        before = rows(path)
        until(lambda: all(count > before[name] for name, count in rows(path).items()))

    with Terminal(attach, env=cli_env) as last:
        last.wait_for(lambda: "all data" in last.text)
        last.send("q")
        last.wait_for("this run is still training")
        last.send("s")
        assert last.wait() == 0
        last.wait_for("stopped")
    assert read_notes(path) == []
