"""R, F and N in a real terminal: the ghost, the fork on the old curve, a new variant."""

import csv
from collections.abc import Callable
from subprocess import CompletedProcess

from real_app import App, StartApp

from engine.log.records import Started, State

Cli = Callable[..., "CompletedProcess[str]"]
FIRST, FORK, NEW = "Mini-batch", "Mini-batch 2", "Mini-batch 3"


def test_a_run_is_rewound_and_forked_and_gets_a_variant(start_app: StartApp, cli: Cli) -> None:
    app = start_app("--batch-sizes", "64", "--epochs", "6", "--pace", "free", "--measuring", "off")
    terminal = app.terminal
    wait_until_finished(app, FIRST)

    terminal.send("hHH")
    terminal.wait_for("R rewind here  F fork here")
    terminal.send("R")
    terminal.wait_for("┊rewound")
    terminal.wait_for(lambda: app.tallies()[FIRST].generation == 2)
    wait_until_finished(app, FIRST)
    terminal.wait_for("faint: before")

    terminal.send("hHHHF")
    terminal.wait_for("2 Mini-batch 2")
    terminal.wait_for("┊fork")
    wait_until_finished(app, FIRST, FORK)

    terminal.send("N")
    terminal.wait_for("3 Mini-batch 3")
    terminal.send("]")
    terminal.wait_for("batch 64→128")
    wait_until_finished(app, FIRST, FORK, NEW)

    origins = [(name, each.origin) for name, each in app.records(Started)]
    assert [name for name, origin in origins if origin is not None] == [FIRST, FORK]
    terminal.send("q")
    assert terminal.wait() == 0
    app.wait_for_nobody()
    losses = losses_of(cli("export", app.path).stdout)
    assert losses[FORK, "1"] == losses[FIRST, "1"][-len(losses[FORK, "1"]) :]
    assert losses[FIRST, "2"] == losses[FIRST, "1"][-len(losses[FIRST, "2"]) :]
    assert len(losses[FORK, "1"]) > len(losses[FIRST, "2"]) > 1
    assert losses[NEW, "1"][0] == losses[FIRST, "1"][0]


def wait_until_finished(app: App, *names: str) -> None:
    """Wait until these have, and the screen shows it: the crosshair steps through what is drawn."""
    app.terminal.wait_for(
        lambda: [each.state for each in app.tallies().values()] == [State.FINISHED] * len(names)
    )
    app.terminal.wait_for(lambda: app.terminal.screen[0].rstrip().endswith("finished"))


def losses_of(text: str) -> dict[tuple[str, str], list[str]]:
    """The losses of an export, by variant and generation."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in csv.DictReader(text.splitlines()):
        found.setdefault((row["variant"], row["generation"]), []).append(row["loss"])
    return found
