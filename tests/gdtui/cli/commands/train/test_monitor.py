"""The monitor of `gdtui train`: which refusals of workers end the command, and the run with it."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.log.directory import RunDirectory
from engine.log.records import Started, State, StateChanged, VariantAdded
from engine.log.writing.added import add_variant
from engine.log.writing.writer import LogWriter
from engine.settings import RunSettings, Variant, VariantSettings
from gdtui.cli.commands.progress_report import ProgressReport
from gdtui.cli.commands.train.monitor import RunMonitor

SETTINGS = VariantSettings(batch_size=10)
REFUSED = StateChanged(generation=1, state=State.FAILED, detail="unknown", is_usage_error=True)


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    variants = tuple(Variant(name=name, settings=SETTINGS) for name in ("A", "B"))
    run = RunDirectory.create(tmp_path / "run", RunSettings(variants=variants), "0")
    LogWriter(run.session_log).close()
    return run


def write(run: RunDirectory, name: str, state: StateChanged) -> None:
    started = Started(
        generation=1, settings=SETTINGS, n=100, model="m", parameters=1, device="cpu", threads=1,
        epochs=4, pace=None,
    )  # fmt: skip
    with LogWriter(run.variant_log(name)) as log:
        log.append(started)
        log.append(state)


def test_a_refused_variant_of_a_new_run_ends_it(run: RunDirectory) -> None:
    monitor = RunMonitor(run, ProgressReport("train", None), {})
    write(run, "A", replace(REFUSED, state=State.RUNNING, detail="", is_usage_error=False))
    monitor.read()
    assert monitor.usage_error is None
    write(run, "B", REFUSED)
    monitor.read()
    assert (monitor.usage_error, monitor.is_over) == ("unknown", True)


def test_a_refused_variant_that_was_added_fails_alone(run: RunDirectory) -> None:
    """The command that ends would take the run's directory with it."""
    monitor = RunMonitor(run, ProgressReport("train", None), {})
    for name in ("A", "B"):
        write(run, name, replace(REFUSED, state=State.RUNNING, detail="", is_usage_error=False))
    monitor.read()
    add_variant(run, Variant(name="C", settings=SETTINGS))
    with LogWriter(run.session_log) as log:
        log.append(VariantAdded(variant="C", settings=SETTINGS))
    write(run, "C", REFUSED)
    monitor.read()
    assert [each.state for each in monitor.tallies] == [State.RUNNING] * 2 + [State.FAILED]
    assert (monitor.usage_error, monitor.is_over) == (None, False)
