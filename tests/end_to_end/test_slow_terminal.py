"""A terminal on a slow link: frames are dropped, nothing else."""

from gdtui.pacing import QUERY

from .conftest import StartApp

RATE = 20 * 1024
"""Bytes a second, a slow link."""


def test_keys_never_wait_behind_a_backlog_of_frames(start_app: StartApp) -> None:
    app = start_app("--pace", "free", "--epochs", "1000000", "--fps", "30")
    terminal = app.terminal
    app.wait_for_losses()
    terminal.rate = RATE
    for key, is_selected in (("2", True), ("0", False)):
        before = terminal.bytes_written
        terminal.wait_for(lambda before=before: terminal.bytes_written > before + RATE)
        before = terminal.bytes_written
        terminal.send(key)
        terminal.wait_for(lambda wanted=is_selected: ("┏" in terminal.text) is wanted)
        assert terminal.bytes_written - before < 2 * RATE
    terminal.send(" ")
    terminal.wait_for("paused")
    done = app.tallies()["SGD"]
    terminal.wait_for(f"{done.updates:,} updates")
    terminal.send("q")
    assert terminal.wait() == 0
    app.check_restored()
    assert b"\x1b[1;1R" not in terminal.raw.rpartition(b"\x1b[?1049l")[2]
    assert terminal.raw.count(QUERY.encode()) > 3
