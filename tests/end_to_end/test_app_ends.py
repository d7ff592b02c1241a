"""The app's ends, of all kinds: logs closed, terminal restored, no process left, exit status."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from hosts import end_run
from real_app import CONSOLE_SCRIPT, App, StartApp
from terminal import PATIENCE, session_of

from engine.log.directory import RunDirectory
from engine.log.file import LogReader
from gdtui.app import INTERNAL_ERROR

Cli = Callable[..., "CompletedProcess[str]"]
SHORT = ("--batch-sizes", "64,1", "--epochs", "10000", "--pace", "0.2")


def check_closed(run: RunDirectory) -> None:
    """Every log ends with its end record."""
    logs = [run.session_log, *(run.variant_log(one.name) for one in run.info.settings.variants)]
    for log in logs:
        reader = LogReader(log)
        assert list(reader)
        assert reader.is_complete, log


@pytest.mark.parametrize("number", [None, signal.SIGINT], ids=["Ctrl+C", "SIGINT"])
def test_a_signal_ends_the_app_in_order(start_app: StartApp, number: signal.Signals | None) -> None:
    """SIGTERM ends it while it sweeps, in test_app_lab.py."""
    app = start_app(*SHORT)
    app.wait_for_losses()
    if number is None:
        app.terminal.send("\x03")
    else:
        os.kill(app.terminal.pid, number)
    assert app.terminal.wait() == 130
    app.check_restored()
    app.wait_for_nobody()
    check_closed(app.run)
    assert "Traceback" not in app.said


def test_it_can_be_left_while_torch_is_being_imported(start_app: StartApp) -> None:
    app = start_app(*SHORT)
    app.terminal.wait_for("importing torch…")
    app.terminal.send("q")
    assert app.terminal.wait() == 0
    app.check_restored()
    app.wait_for_nobody()
    check_closed_or_never_begun(app)


BROKEN = """
import sys
from gdtui.cli.main import main

def fail(*_):
    raise RuntimeError("injected")

if __name__ == "__main__":
    import {module} as module
    module.{where} = fail
    sys.exit(main())
"""


@pytest.mark.parametrize(
    ("module", "where"),
    [("gdtui.app", "GdtuiApp.action_theme"), ("gdtui.view.pictures", "panel")],
    ids=["a key", "drawing"],
)
def test_an_exception_in_the_app_is_one_message(
    start_app: StartApp, tmp_path: Path, module: str, where: str
) -> None:
    script = tmp_path / "broken.py"
    script.write_text(BROKEN.format(module=module, where=where))
    app = start_app(*SHORT, command=[sys.executable, str(script)])
    if "action" in where:
        app.wait_for_losses()
        app.terminal.send("t")
    assert app.terminal.wait() == 1
    app.check_restored()
    end_run(app.path)  # it trains on, if it had begun
    app.wait_for_nobody()
    check_closed_or_never_begun(app)
    assert f"{INTERNAL_ERROR}: RuntimeError: injected" in app.said
    assert "Traceback" not in app.said
    assert "injected" in (app.path / "crash.txt").read_text()


def check_closed_or_never_begun(app: App) -> None:
    """A worker that was still starting may have written nothing."""
    run = app.run
    for log in (
        run.session_log,
        *(run.variant_log(one.name) for one in run.info.settings.variants),
    ):
        reader = LogReader(log)
        assert not list(reader) or reader.is_complete, log


@pytest.mark.parametrize("how", ["SIGHUP", "d"])
def test_a_run_goes_on_without_its_terminal(start_app: StartApp, how: str) -> None:
    """That of a window that is closed is in test_host_lost_terminal.py."""
    app = start_app(*SHORT)
    app.wait_for_losses()
    if how == "SIGHUP":
        os.kill(app.terminal.pid, signal.SIGHUP)
        assert app.terminal.wait() == 129
        app.check_restored()
    else:
        app.terminal.send("d")
        assert app.terminal.wait() == 0
        app.check_restored()
        hint = f"gdtui attach {app.path}"
        app.terminal.wait_for(lambda: hint in "".join(app.said.split("\r\n")))
    app.terminal.wait_for(lambda: (app.path / "host.out").exists())
    app.wait_for_progress("Mini-batch", "SGD")
    end_run(app.path)
    app.wait_for_nobody()
    check_closed(app.run)
    assert "Traceback" not in (app.path / "host.out").read_text()


@pytest.mark.parametrize("after", ["", "losses"])
def test_a_terminal_that_goes_without_a_signal_ends_the_app(
    tmp_path: Path, cli_env: dict[str, str], after: str
) -> None:
    """The program that held the pty dies, and the app was not in its session."""
    run, (master, slave) = tmp_path / "run", os.openpty()
    app = subprocess.Popen(
        [*CONSOLE_SCRIPT, "--run-dir", str(run), *SHORT],
        env={**cli_env, "TERM": "xterm-256color"}, stdin=slave, stdout=slave, stderr=slave,
        start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    try:
        until(lambda: drained(master) and (run / "run.json").exists())
        if after:
            until(
                lambda: (
                    drained(master)
                    and sum(log.stat().st_size for log in run.glob("*.gdlog")) > 10_000
                )
            )
        os.close(master)
        assert app.wait(PATIENCE) == 129
        until(lambda: not session_of(app.pid))
        end_run(run)
        if after:
            check_closed(RunDirectory.open(run))
    finally:
        for left in session_of(app.pid):
            os.kill(left, signal.SIGKILL)
        app.wait()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def drained(master: int) -> bool:
    """Takes what the app has written, which would else wait for a reader."""
    while select.select([master], [], [], 0)[0]:
        os.read(master, 1 << 16)
    return True
