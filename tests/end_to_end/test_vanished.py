"""Run directories and logs that vanish while somebody trains or watches: told, never pretended."""

import csv
import json
import shutil
import threading
import time
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from real_app import CONSOLE_SCRIPT, StartApp
from terminal import PATIENCE, Terminal

Cli = Callable[..., "CompletedProcess[str]"]
SHORT = ("--batch-sizes", "64,1", "--epochs", "100000", "--pace", "1")
MINI, SGD = "Mini-batch", "SGD"


def check_rows(cli_in_process: Cli, run: Path) -> None:
    """Every batch is there once, and in order."""
    result = cli_in_process("export", run)
    assert (result.returncode, result.stderr) == (0, "")
    rows = csv.DictReader(result.stdout.splitlines())
    for _, of_one in groupby(rows, key=lambda row: (row["variant"], row["generation"])):
        batches = [int(row["batch"]) for row in of_one]
        assert batches == list(range(1, len(batches) + 1))


def ends_with(terminal: Terminal, words: str) -> Callable[[], bool]:
    """Tells whether the header of the app ends so."""
    return lambda: terminal.screen[0].rstrip().endswith(words)


def test_the_app_and_a_watcher_wait_for_what_is_moved_away(
    start_app: StartApp, cli_in_process: Cli, cli_env: dict[str, str]
) -> None:
    """First the whole directory, then one log."""
    app = start_app(*SHORT)
    app.wait_for_losses()
    with Terminal([*CONSOLE_SCRIPT, "watch", str(app.path)], env=cli_env) as watcher:
        watcher.wait_for(ends_with(watcher, "running · watching"))
        away = app.path.with_name("away")
        app.path.rename(away)
        app.terminal.wait_for(ends_with(app.terminal, "log gone"))
        app.terminal.wait_for("is gone: it was removed or moved")
        watcher.wait_for(ends_with(watcher, "log gone · watching"))
        watcher.wait_for("This is how far it was read")
        assert "killed" not in watcher.text
        away.rename(app.path)
        app.terminal.wait_for(ends_with(app.terminal, "running"))
        watcher.wait_for(ends_with(watcher, "running · watching"))
        watcher.send("q")
        assert watcher.wait() == 0
    app.wait_for_progress(MINI, SGD)

    log = app.run.variant_log(SGD)
    away = log.with_name("away")
    log.rename(away)
    app.terminal.wait_for("─ log gone ─╯")
    app.terminal.wait_for("│ cannot write 2-sgd.gdlog: it was removed or moved")
    app.wait_for_progress(MINI)
    assert ends_with(app.terminal, "running")(), "the others are"
    away.rename(log)
    app.terminal.wait_for(lambda: "log gone" not in app.terminal.text)
    app.wait_for_progress(MINI, SGD)
    app.terminal.send("q")
    assert app.terminal.wait() == 0
    app.check_restored()
    app.wait_for_nobody()
    assert "gdtui:" not in app.said
    check_rows(cli_in_process, app.path)


@pytest.mark.parametrize("what", ["log", "session log", "run.json", "replaced"])
def test_training_without_a_terminal_ends_with_an_error(
    what: str, tmp_path: Path, cli_in_process: Cli
) -> None:
    """It used to go on for ever, into files that nobody would see.

    The whole directory is removed in test_trouble.py.
    """
    path = tmp_path / "run"

    def trouble() -> None:
        try:
            wait_for_rows(path)
        finally:  # or it would train for ever
            vanish(path, what)

    troubling = threading.Thread(target=trouble)
    troubling.start()
    result = cli_in_process("train", "--json", "--run-dir", path, *SHORT)
    troubling.join()
    assert result.returncode == 1
    assert "stopped: nothing more could be kept of this run" in result.stderr
    assert "Traceback" not in result.stderr
    assert {variant["state"] for variant in json.loads(result.stdout)["variants"]} == {"stopped"}


def wait_for_rows(run: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while sum(log.stat().st_size for log in run.glob("[12]-*.gdlog")) < 5_000:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def vanish(run: Path, what: str) -> None:
    log = run / "2-sgd.gdlog"
    match what:
        case "log":
            log.unlink()
        case "session log":
            (run / "session.gdlog").unlink()
        case "run.json":
            (run / "run.json").unlink()
        case "replaced":
            shutil.copy(log, run / "copy")
            (run / "copy").rename(log)


def test_training_on_a_terminal_waits(start_app: StartApp, cli_in_process: Cli) -> None:
    options = ("--batch-sizes", "64", "--epochs", "20", "--pace", "2")
    train = start_app(*options, command=[*CONSOLE_SCRIPT, "train"])
    train.terminal.wait_for(lambda: (train.path / "1-mini-batch.gdlog").exists())
    away = train.path.with_name("away")
    train.path.rename(away)
    train.terminal.wait_for(lambda: train.terminal.says("paused until it is back"))
    away.rename(train.path)
    assert cli_in_process("send", train.path, "pace free").returncode == 0
    assert train.terminal.wait() == 0
    check_rows(cli_in_process, train.path)


def test_logs_without_their_run_are_refused(cli_in_process: Cli, tmp_path: Path) -> None:
    """Their results would be told as new ones."""
    run = tmp_path / "run"
    assert cli_in_process("train", "--run-dir", run, "--epochs", "1").returncode == 0
    (run / "run.json").unlink()
    before = {file.name: file.read_bytes() for file in run.rglob("*") if file.is_file()}
    again = cli_in_process("train", "--run-dir", run, "--epochs", "1")
    assert (again.returncode, again.stdout) == (2, "")
    assert "no run.json" in again.stderr
    assert {file.name: file.read_bytes() for file in run.rglob("*") if file.is_file()} == before


def test_other_files_in_the_directory_are_told_in_a_line_and_left(
    cli_in_process: Cli, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    for name in ("a.txt", "b\x1b[31m.txt", "c.weights", "d.txt", "workers.out"):
        (run / name).write_text("mine")
    result = cli_in_process(
        "train", "--run-dir", run, "--epochs", "1", "--batch-sizes", "full", "--quiet"
    )
    assert result.returncode == 0
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"gdtui train: {run} also holds a.txt, b")
    assert line.endswith(".txt, c.weights and 1 more: left as they are")
    assert "\x1b" not in line
    assert (run / "a.txt").read_text() == "mine"
