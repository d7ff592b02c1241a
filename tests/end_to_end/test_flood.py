"""A held key and a worker that hears nothing: the screen goes on, and what counts is not lost."""

import os
import signal

from real_app import StartApp

from engine.log.records import CommandSent, Started

MINI, SGD = "Mini-batch", "SGD"


def test_keys_beside_a_stopped_worker_neither_freeze_the_screen_nor_are_lost(
    start_app: StartApp,
) -> None:
    """After some hundred commands its pipe was full, and the screen waited for it."""
    app = start_app("--batch-sizes", "64,1", "--epochs", "100000", "--pace", "0.2")
    app.wait_for_losses()
    worker = app.worker(SGD)
    os.kill(worker, signal.SIGSTOP)
    app.terminal.send("2")
    for _ in range(60):
        app.terminal.send(".," * 25)
    app.terminal.send("...r]]?")
    app.terminal.wait_for("this help")
    app.terminal.send("\x1b")
    app.terminal.wait_for("restarting…")
    app.wait_for_progress(MINI)
    assert len(app.records(CommandSent)) < 1_000

    os.kill(worker, signal.SIGCONT)
    app.terminal.wait_for(lambda: app.tallies()[SGD].settings.batch_size == 4)
    assert app.tallies()[SGD].settings.lr == 0.1
    restarts = [record for name, record in app.records(Started) if name == SGD]
    assert len(restarts) == 2
    app.terminal.send("q")
    assert app.terminal.wait() == 0
    app.check_restored()
    app.wait_for_nobody()
