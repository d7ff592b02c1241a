"""Fixtures of many tests: the program as a subprocess, and run directories without training."""

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from in_process import QUIET, run_in_process

from engine.jobs.cores import usable_cores
from engine.log.directory import RunDirectory
from engine.log.records import Chunk, End, Evaluation, Record, Started, State, StateChanged
from engine.log.writing.writer import LogWriter
from engine.settings import RunSettings, Variant, VariantSettings

# Whatever the terminal that pytest runs in: Textual and rich read this as they are imported.
os.environ["TEXTUAL_COLOR_SYSTEM"] = "truecolor"
os.environ.pop("NO_COLOR", None)
# Threads of torch that wait for work sleep, rather than spin on cores that other tests need; the
# programs under test inherit this.
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
# Whatever defaults of gdtui its user has.
os.environ["XDG_CONFIG_HOME"] = "/nonexistent"
for name in [name for name in os.environ if name.startswith("GDTUI_")]:
    del os.environ[name]

# The programs under test keep their compiled modules: compiling takes a third of a command's time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Started as a background job, pytest would ignore Ctrl+C, and so would every program under test.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no fault of the code; the same examples each time, unless new ones are wanted:
# pytest --hypothesis-profile explore
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeatable", settings.get_profile("explore"), derandomize=True)
settings.load_profile("repeatable")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half as many workers again as there are cores: many tests wait for the program."""
    cores = usable_cores()
    return cores + max(1, cores // 2)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files without a test for other people's packages where only those tests run."""
    if config.getoption("markexpr") != "integration" or collection_path.suffix != ".py":
        return None
    return True if b"pytest.mark.integration" not in collection_path.read_bytes() else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the garbage collector from what stays: looking through it took a sixth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(10_000, 10, 10)  # screens are many objects, most of them soon gone
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests first: workers that run out of tests take others' last ones."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


ROOT = Path(__file__).resolve().parent.parent

SAMPLES, BATCH, EPOCH_BATCHES = 10, 4, 3
"""Shape of the made-up runs: each epoch is batches of 4, 4 and 2."""

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
MakeRun = Callable[..., RunDirectory]


@pytest.fixture(autouse=True)
def _benches_closed() -> Iterable[None]:
    """Logs that a bench of the app has opened are closed after each test."""
    yield
    if (bench := sys.modules.get("app_bench")) is not None:
        bench.close_logs()


@pytest.fixture
def cli_env(tmp_path: Path) -> dict[str, str]:
    """The environment of a `python -m gdtui` that keeps its runs below `tmp_path`."""
    return {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "PYTHONPATH": str(ROOT)}


@pytest.fixture
def cli(cli_env: dict[str, str]) -> Cli:
    """Run `gdtui` with these arguments to its end; its output as text."""

    def run(*arguments: str | Path, text_in: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "gdtui", *map(str, arguments)],
            env={**QUIET, **cli_env},
            input=text_in,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def cli_in_process(cli_env: dict[str, str]) -> Cli:
    """Run `gdtui` in this process: starting another takes most of a quick command's time."""

    def run(*arguments: str | Path, text_in: str = "") -> "subprocess.CompletedProcess[str]":
        return run_in_process(cli_env, *arguments, text_in=text_in)

    return run


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Write a run as training would: `make_run(path, names=…, epochs=…, state=…, is_ended=…)`."""

    def make(
        path: Path | None = None,
        *,
        names: Iterable[str] = ("Mini-batch", "SGD"),
        epochs: int = 2,
        state: State = State.FINISHED,
        is_ended: bool = True,
    ) -> RunDirectory:
        variants = tuple(
            Variant(name=name, settings=VariantSettings(batch_size=BATCH)) for name in names
        )
        settings = RunSettings(variants=variants, epochs=epochs)
        run = RunDirectory.create(path or tmp_path / "run", settings, "0")
        for variant in variants:
            with LogWriter(run.variant_log(variant.name)) as log:
                for record in log_of(variant.settings, epochs, state):
                    log.append(record)
                if is_ended:
                    log.append(End())
        with LogWriter(run.session_log) as log:
            log.append(End())
        run.custody.release()
        return run

    return make


def log_of(settings: VariantSettings, epochs: int, state: State) -> list[Record]:
    """The records of one generation: batch k (from 1) of the run has the loss 1 / k."""
    started = Started(
        generation=1,
        settings=settings,
        n=SAMPLES,
        model="Linear(1,1)",
        parameters=2,
        device="cpu",
        threads=1,
        epochs=epochs,
        pace=None,
        wall_time=0.0,
    )
    records: list[Record] = [started, _evaluation(0)]
    for epoch in range(1, epochs + 1):
        first = (epoch - 1) * EPOCH_BATCHES + 1
        losses = 1 / np.arange(first, first + EPOCH_BATCHES, dtype="<f4")
        chunk = Chunk(
            generation=1,
            epoch=epoch,
            batch=first,
            update=first,
            in_update=0,
            samples=(epoch - 1) * SAMPLES,
            seconds=float(epoch - 1),
            duration=1.0,
            batch_size=BATCH,
            last_batch_size=SAMPLES - (EPOCH_BATCHES - 1) * BATCH,
            accumulation_steps=1,
            lr=0.01,
            losses=losses.tobytes(),
        )
        records += [chunk, _evaluation(epoch)]
    return [*records, StateChanged(generation=1, state=state, wall_time=0.0)]


def _evaluation(epoch: int) -> Evaluation:
    done = epoch * EPOCH_BATCHES
    return Evaluation(
        generation=1,
        epoch=epoch,
        batches=done,
        updates=done,
        samples=epoch * SAMPLES,
        seconds=float(epoch),
        full_loss=1 / (1 + epoch),
    )
