"""`gdtui resume` of a sweep or an experiment: it becomes the command that goes on with it."""

from pathlib import Path
from typing import Any

import click
import pytest
from command_lines import context

from engine.experiments.directory import ExperimentDirectory
from engine.experiments.job import ExperimentTask
from engine.settings import RunSettings, Variant, VariantSettings
from engine.sweep.directory import SweepDirectory
from gdtui.cli.commands.measure import experiment, sweep

KINDS = {"sweep": sweep.command, "experiment": experiment.command}


@pytest.fixture
def work(tmp_path: Path) -> dict[str, Path]:
    """A directory of each kind."""
    variant = Variant(name="SGD", settings=VariantSettings(batch_size=1))
    SweepDirectory.create(tmp_path / "sweep", RunSettings(variants=(variant,)), "0")
    task = ExperimentTask(name="saddle", seeds=(0, 1), device="cpu", threads=1)
    ExperimentDirectory.create(tmp_path / "experiment", task, "0")
    return {kind: tmp_path / kind for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_work_goes_on_with_its_own_command(
    work: dict[str, Path], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    found: dict[str, Any] = {}

    def run(ctx: click.Context, **values: Any) -> int:
        found.update(values)
        return 7

    monkeypatch.setattr(KINDS[kind], "callback", run)
    ctx = context(["resume", str(work[kind]), "--json", "--quiet"])
    assert ctx.command.invoke(ctx) == 7
    assert (found["run_dir"], found["json"], found["quiet"]) == (work[kind], True, True)
    assert not found["detach"]


@pytest.mark.parametrize("kind", KINDS)
def test_work_keeps_its_epochs(work: dict[str, Path], kind: str) -> None:
    ctx = context(["resume", str(work[kind]), "--epochs", "3"])
    with pytest.raises(click.UsageError, match=f"is an? {kind}"):
        ctx.command.invoke(ctx)


def test_a_sweep_is_given_the_file_of_its_problem_and_an_experiment_refuses_one(
    work: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep.command, "callback", lambda ctx, **_: ctx.params["problem"])
    ctx = context(["resume", str(work["sweep"]), "--problem", "own.py"])
    assert ctx.command.invoke(ctx) == "own.py"
    ctx = context(["resume", str(work["experiment"]), "--problem", "own.py"])
    with pytest.raises(click.UsageError, match="its own problem"):
        ctx.command.invoke(ctx)
