"""Experiments and the sweep from the app: training waits and goes on, nothing is left over."""

import os
import signal

import pytest
from real_app import StartApp
from terminal import children_of
from trouble import check_closed

from engine.log.commands import Pause, Resume
from engine.log.records import CommandSent


@pytest.mark.slow
def test_an_experiment_is_tested_while_training_waits_and_a_sweep_ends_with_the_app(
    start_app: StartApp,
) -> None:
    app = start_app("--epochs", "100000", "--pace", "0.5", "--device", "cpu")
    terminal = app.terminal
    app.wait_for_losses()
    terminal.send("X")
    terminal.wait_for("enter runs")
    terminal.send("\x1b[B\r")  # the second, which is the quickest
    terminal.wait_for("sharp-minimum: SUPPORTED")
    expected = [Pause] * 3 + [Resume] * 3
    terminal.wait_for(
        lambda: [type(record.command) for _, record in app.records(CommandSent)] == expected
    )
    terminal.send("X")
    app.wait_for_progress("Batch GD", "SGD")
    terminal.send("W")
    terminal.wait_for("enter measures")
    terminal.send("\r")
    terminal.wait_for(" s   SGD, epoch")  # an arm of its own trains
    parents = [pid for pid in terminal.processes if children_of(pid)]
    assert len(parents) == 4, "the app and the host, each with its one fork server"
    terminal.wait_for("it may change as more follow")  # the first column is there
    terminal.send("W")
    os.kill(terminal.pid, signal.SIGTERM)
    assert terminal.wait() == 128 + signal.SIGTERM
    app.check_restored()
    app.wait_for_nobody()
    check_closed(app.run, "Batch GD", "Mini-batch", "SGD")
    assert "Traceback" not in app.said
