"""Stopping and going on: the app takes its terminal back, once, and leaves it as it was."""

import contextlib
import os
import signal
import termios
import time
from pathlib import Path

from real_app import App, StartApp

SHORT = ("--batch-sizes", "64", "--epochs", "100000", "--pace", "0.2")
LOCAL = 3
"""The place of the local modes in termios' list: echo, line mode, signals."""


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def wait_until_stopped(app: App) -> None:
    app.terminal.wait_for(lambda: state_of(app.terminal.pid) == "T")


def is_raw(app: App) -> bool:
    return not app.terminal.modes[LOCAL] & (termios.ICANON | termios.ECHO)


def be_the_shell(app: App) -> None:
    """Treat the terminal as a shell does whose program was stopped."""
    terminal = os.open(f"/proc/{app.terminal.pid}/fd/0", os.O_RDWR | os.O_NOCTTY)
    termios.tcsetattr(terminal, termios.TCSANOW, app.terminal.modes_before)
    os.write(terminal, b"\x1b[2J\x1b[H\x1b[?2004l[1]+  Stopped\r\n$ ")
    os.close(terminal)
    app.terminal.wait_for("Stopped")


def input_threads(app: App) -> int:
    """The threads that read keys: each waits in select for the terminal."""
    tasks = Path(f"/proc/{app.terminal.pid}/task").iterdir()
    return sum((task / "comm").read_text().startswith("textual-input") for task in tasks)


def check_keys(app: App) -> None:
    """A key is obeyed: the help comes and goes."""
    for _ in range(6):
        app.terminal.send("?")
        with contextlib.suppress(AssertionError):  # a key typed as the terminal is taken is dropped
            app.terminal.wait_for("this help", patience=10)
            break
    app.terminal.wait_for("this help")
    app.terminal.send("\x1b")
    app.terminal.wait_for(lambda: "this help" not in app.terminal.text)


def leave(app: App) -> None:
    app.terminal.send("q")
    assert app.terminal.wait() == 0
    assert app.terminal.modes == app.terminal.modes_before
    app.wait_for_nobody()
    assert "Traceback" not in app.said


def test_going_on_without_a_stop_or_after_one_taken_back_changes_nothing(
    start_app: StartApp,
) -> None:
    """A second thread would read keys, and raw modes pass for those of the shell."""
    app = start_app(*SHORT)
    app.wait_for_losses()
    for _ in range(3):
        os.kill(app.terminal.pid, signal.SIGCONT)
        check_keys(app)
    assert app.terminal.raw.count(b"\x1b[?1049h") == 1
    for seconds in (0.002, 0.002, 0.002, 0.002, 0.05):
        os.kill(app.terminal.pid, signal.SIGTSTP)
        # The kernel may hand two at once to two threads, in either order; the last pair decides.
        time.sleep(seconds)
        os.kill(app.terminal.pid, signal.SIGCONT)
    check_keys(app)
    leave(app)


def test_a_stop_without_warning_and_what_the_shell_did_meanwhile(start_app: StartApp) -> None:
    app = start_app(*SHORT)
    app.wait_for_losses()
    for _ in range(2):
        os.kill(app.terminal.pid, signal.SIGSTOP)
        wait_until_stopped(app)
        be_the_shell(app)
        os.kill(app.terminal.pid, signal.SIGCONT)
        app.terminal.wait_for(lambda: "Stopped" not in app.terminal.text and is_raw(app))
        app.wait_for_losses()
        check_keys(app)
    app.wait_for_progress("Mini-batch")
    os.kill(app.terminal.pid, signal.SIGSTOP)
    wait_until_stopped(app)
    app.terminal.send("q")  # at once after it goes on
    os.kill(app.terminal.pid, signal.SIGCONT)
    assert app.terminal.wait() == 0
    app.check_restored()
    app.wait_for_nobody()
    assert "Traceback" not in app.said


def test_a_stop_gives_the_terminal_back_and_going_on_takes_it(start_app: StartApp) -> None:
    app = start_app(*SHORT)
    app.wait_for_losses()
    for how in ("key", "signal", "key"):
        if how == "key":
            app.terminal.send("\x1a")
        else:
            os.kill(app.terminal.pid, signal.SIGTSTP)
        wait_until_stopped(app)
        assert app.terminal.modes == app.terminal.modes_before
        be_the_shell(app)
        for _ in range(2):  # as `fg` sends one, and a script another
            os.kill(app.terminal.pid, signal.SIGCONT)
        app.terminal.wait_for(lambda: "Stopped" not in app.terminal.text and is_raw(app))
        app.wait_for_losses()
        check_keys(app)
    leave(app)
