"""The app as it is used: losses appear, keys change the training, q ends it; S folds the curves."""

import csv
import os
import signal
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from subprocess import CompletedProcess

from real_app import App, StartApp

import gdtui
from engine.log.records import Changed
from engine.settings import LrScaling

Cli = Callable[..., "CompletedProcess[str]"]
FULL, MINI, SGD = "Batch GD", "Mini-batch", "SGD"
BRAILLE = range(0x2801, 0x2900)


def test_three_variants_train_keys_change_one_and_q_ends_it_at_once(
    start_app: StartApp, cli_in_process: Cli
) -> None:
    """Groups of 16 batches, and so fast that stretches trained at once cut them anywhere."""
    run = ("--batch-sizes", "full,4,1", "--accumulation", "1,16,1", "--pace", "free")
    app = start_app(*run, "--epochs", "1000000")
    app.wait_for_losses()
    press_keys_while_the_worker_cannot_answer(app)
    app.terminal.wait_for(lambda: is_marked(app, "batch 4→8, lr 0.01→0.02"))
    app.wait_for_progress(FULL, MINI, SGD)

    app.terminal.send("q")
    assert app.terminal.wait() == 0
    app.check_restored()
    app.wait_for_nobody()
    result = cli_in_process("export", app.path)
    assert (result.returncode, result.stderr) == (0, "")
    check_changed_between_groups(list(csv.DictReader(result.stdout.splitlines())))


def press_keys_while_the_worker_cannot_answer(app: App) -> None:
    """Pending settings are shown for as long as nobody confirms them."""
    terminal, worker = app.terminal, app.worker(MINI)
    os.kill(worker, signal.SIGSTOP)
    terminal.send("2].")
    terminal.wait_for("batch 4→8… · lr 0.01→0.02…")
    assert app.tallies()[MINI].settings.batch_size == 4
    os.kill(worker, signal.SIGCONT)
    terminal.wait_for("batch 8 [ ] · lr 0.02 , . · accum ×16 A a")
    terminal.wait_for(lambda: "→8…" not in terminal.text)
    assert {name for name, _ in app.records(Changed)} == {MINI}, "only the selected variant"


def is_marked(app: App, label: str) -> bool:
    """True when a chart has a vertical mark of that label."""
    return any(f"┊{label}" in row for row in app.terminal.screen)


def check_changed_between_groups(rows: list[dict[str, str]]) -> None:
    by_variant = defaultdict(list)
    for row in rows:
        by_variant[row["variant"]].append(row)
    assert {float(row["lr"]) for name in (FULL, SGD) for row in by_variant[name]} == {0.01}
    mini = by_variant[MINI]
    for before, after in pairwise(mini):
        assert int(after["batch"]) == int(before["batch"]) + 1
        if after["update"] == before["update"]:
            assert after["lr"] == before["lr"], "a change inside a group"
        if after["epoch"] == before["epoch"]:  # the last of an epoch may be short
            assert int(before["batch_size"]) == {"0.01": 4, "0.02": 8}[before["lr"]]
    lrs = [row["lr"] for row in mini]
    assert sum(a != b for a, b in pairwise(lrs)) == 1
    assert (lrs[0], lrs[-1]) == ("0.01", "0.02")


def test_scaling_with_a_restart_folds_the_curves_and_leaves_ghosts(start_app: StartApp) -> None:
    app = start_app("--batch-sizes", "full,64,4", "--epochs", "8", "--pace", "4")
    terminal = app.terminal
    terminal.wait_for(lambda: min(one.epoch for one in app.tallies().values()) >= 4)
    terminal.send("<<<<<")  # so slow that the new generation stays near its start
    terminal.wait_for(lambda: all(one.pace == 0.1 for one in app.tallies().values()))
    terminal.send("S")
    terminal.wait_for(
        lambda: all(one.generation == 2 and one.samples for one in app.tallies().values())
    )
    terminal.wait_for("linear from 0.01")
    terminal.wait_for(lambda: dots_in_the_right_half(app))
    assert max(one.samples for one in app.tallies().values()) <= 4000, (
        "the dots are of the old ones"
    )

    terminal.send("f")
    terminal.wait_for("results")
    tallies = app.tallies().values()
    assert {(one.state, one.epoch, one.settings.lr_scaling) for one in tallies} == {
        ("finished", 8, LrScaling.LINEAR)
    }
    generations = [each.latest for each in gdtui.open_run(app.path).variants.values()]
    for epoch, ends in enumerate(zip(*(each.evaluations for each in generations), strict=True)):
        losses = [end.full_loss for end in ends]
        assert max(losses) - min(losses) <= 0.01, epoch


def dots_in_the_right_half(app: App) -> bool:
    """True when the overlay has curves over the later half of its x axis."""
    screen = app.terminal.screen
    bottom = next(row for row, text in enumerate(screen) if text.startswith("╰"))
    return any(ord(cell) in BRAILLE for row in screen[2:bottom] for cell in row[len(row) // 2 :])
