"""A terminal on a slow link, or one that stalls: frames are dropped, nothing else."""

from real_app import StartApp

from engine.log.records import Changed, State
from gdtui.terminal.frame_gate import QUERY

RATE = 20 * 1024
"""Bytes a second, a slow link."""
STUCK = 1.5
"""Seconds of training, while nothing can be shown."""


def test_keys_never_wait_behind_a_backlog_of_frames(start_app: StartApp) -> None:
    app = start_app("--pace", "2", "--epochs", "1000000", "--fps", "30")
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


def test_a_terminal_that_takes_nothing_holds_up_neither_training_nor_commands(
    start_app: StartApp,
) -> None:
    app = start_app("--pace", "free", "--epochs", "1000000", "--fps", "30")
    terminal, names = app.terminal, ("Batch GD", "Mini-batch", "SGD")
    app.wait_for_losses()
    terminal.stall()
    app.wait_for_progress(*names)
    before, trained = terminal.bytes_written, app.tallies()["SGD"].seconds

    # Long enough for whatever could fill up: dozens of frames.
    terminal.wait_for(lambda: app.tallies()["SGD"].seconds > trained + STUCK)
    terminal.send("2]")
    terminal.wait_for(lambda: app.records(Changed))
    ((name, changed),) = app.records(Changed)
    assert isinstance(changed, Changed)
    assert (name, changed.settings.batch_size) == ("Mini-batch", 128)
    app.wait_for_progress(*names)
    terminal.send(" ")
    terminal.wait_for(lambda: {tally.state for tally in app.tallies().values()} == {State.PAUSED})
    assert terminal.bytes_written == before

    terminal.rate = None
    terminal.wait_for("paused")
    for tally in app.tallies().values():
        terminal.wait_for(f"{tally.updates:,} updates")
    assert "batch 128 [ ] · lr 0.01" in terminal.text
    terminal.send("q")
    assert terminal.wait() == 0
    app.check_restored()
