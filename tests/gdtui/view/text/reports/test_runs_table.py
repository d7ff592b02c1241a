"""The list of runs at any width: whole words, the most important columns."""

from typing import Any

import pytest

from gdtui.state.runs.hosts import HostState
from gdtui.state.runs.listing import ListedRun
from gdtui.state.stored.progress import RunProgress
from gdtui.state.stored_runs import RunKind, RunState, StoredRun
from gdtui.view.text.reports.runs_table import counted, list_table

TRAINING = ListedRun(
    run=StoredRun(
        run_dir="/runs/20260102-030405", created=0.0, problem="synthetic",
        variants=("Batch GD", "Mini-batch", "SGD"), bytes=2048, state=RunState.RUNNING,
        progress=RunProgress(
            epochs=12, planned_epochs=20, lr=(0.01, 0.3125), loss=0.0755, best="SGD",
            seconds_left=135.0,
        ),
    ),
    host=HostState(host="gpu-box-17", pid=123_456, viewers=2),
)  # fmt: skip
EXPERIMENT = ListedRun(
    run=StoredRun(
        kind=RunKind.EXPERIMENT, run_dir="/runs/flat", created=0.0, problem="flat-generalises",
        variants=(), bytes=10, state=RunState.FINISHED, verdict="not supported",
    )
)  # fmt: skip


def program(**progress: Any) -> ListedRun:
    """A run of `gdtui run` that got so far."""
    run = StoredRun(
        run_dir="/runs/p", created=0.0, problem="train.py", variants=("train",), bytes=10,
        state=RunState.FAILED, progress=RunProgress(**progress),
    )  # fmt: skip
    return ListedRun(run=run)


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        ({"steps": 1200, "last_loss": 0.25, "exit_status": 7}, ["7", "1,200 steps", "0.250"]),
        ({"steps": 1, "epochs": 0, "exit_status": 0}, ["0", "1 step", "–"]),
        ({"steps": 9, "epochs": 3, "exit_status": -9}, ["SIGKILL", "3 epochs", "–"]),
        ({"steps": 9, "epochs": 1, "planned_epochs": 3, "loss": 5.0, "last_loss": 4.0},
         ["–", "1/3", "4.00"]),
        ({"exit_status": -200}, ["signal 200", "–", "–"]),
    ],
)  # fmt: skip
def test_programs_have_steps_or_epochs_a_last_loss_and_an_exit_status(
    progress: dict[str, Any], expected: list[str]
) -> None:
    head, row = list_table([program(**progress)]).splitlines()
    status, epochs, result = expected
    assert head.split()[5:6] == ["exit"]
    assert row.split("failed")[1].split("  /runs")[0].split() == [
        *status.split(), *epochs.split(), "–", *result.split(), "–", "–"
    ]  # fmt: skip


def words(text: str) -> set[str]:
    return {word.strip(".,;") for word in text.split()}


@pytest.mark.parametrize("width", range(30, 200, 7))
def test_no_line_is_too_wide_and_no_word_is_cut(width: int) -> None:
    runs = [TRAINING, EXPERIMENT]
    text = list_table(runs, width)
    assert all(len(line) <= width for line in text.splitlines())
    table = text.partition("\n\n")[0]
    assert words(table) <= words(list_table(runs)) | {"name", "20260102-030405", "flat"}


def test_at_80_columns_it_says_what_trains_how_far_it_is_and_where() -> None:
    text = list_table([TRAINING, EXPERIMENT], 80)
    for word in ("running", "12/20", "02:15", "0.0755", "0.01…0.312", "not supported"):
        assert word in text
    assert "Not shown at 80 columns: " in text
    assert "--json" in text


def test_columns_without_content_make_way() -> None:
    text = list_table([EXPERIMENT], 80)
    assert "time left" not in text
    assert "host" not in text
    assert "flat-generalises" in text


def test_a_run_that_its_host_holds_is_paused() -> None:
    progress = RunProgress(epochs=1, planned_epochs=2, is_paused=True)
    run = StoredRun(
        run_dir="/runs/a", created=0.0, problem="p", variants=("A",), bytes=1,
        state=RunState.RUNNING, progress=progress,
    )  # fmt: skip
    assert "paused" in list_table([ListedRun(run=run, host=TRAINING.host)], 80)


def test_kinds_are_counted_apart() -> None:
    runs = [TRAINING.run, TRAINING.run, EXPERIMENT.run]
    assert counted(runs) == "2 runs and 1 experiment, 4.0 KiB"
    assert counted(runs[:1]) == "1 run, 2.0 KiB"
    assert counted([]).startswith("no runs")
