"""Watching real training, in the app or headless, until it ends, however it ends."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from shown import strips_of, without_keys
from terminal import PATIENCE, Terminal
from textual.pilot import Pilot

from engine.log.directory import RunDirectory
from engine.log.records import State
from engine.session import Session
from engine.settings import RunSettings, Variant, VariantSettings
from engine.sweep.directory import SweepDirectory
from gdtui.app import GdtuiApp
from gdtui.state.overlay.watch_source import WatchSource
from gdtui.state.replay import Replay

SIZES = ("--batch-sizes", "full,64,16")
Training = Callable[..., "subprocess.Popen[bytes]"]


def text_of(app: GdtuiApp) -> list[str]:
    """The lines on the screen."""
    return [strip.text for strip in strips_of(app)]


async def wait_for(pilot: Pilot[None], what: Callable[[], bool]) -> None:
    for _ in range(2400):
        if what():
            return
        await pilot.pause(0.05)
    raise AssertionError("it never came")


@pytest.fixture
def run_path(tmp_path: Path) -> Path:
    return tmp_path / "run"


@contextmanager
def training(
    run_path: Path, env: dict[str, str], *arguments: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """`gdtui train` in the background, as soon as its directory is there."""
    command = [sys.executable, "-m", "gdtui", "train", "--run-dir", str(run_path), *arguments]
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not (run_path / "run.json").exists():
            assert process.poll() is None
            time.sleep(0.01)
        yield process
    finally:
        process.kill()
        process.wait()


async def test_a_headless_run_is_seen_as_it_trains_and_finishes(
    run_path: Path, cli_env: dict[str, str]
) -> None:
    with training(run_path, cli_env, *SIZES, "--epochs", "8", "--pace", "4") as process:
        app = GdtuiApp(
            RunDirectory.open(run_path), None, source=WatchSource(RunDirectory.open(run_path))
        )
        async with app.run_test(size=(160, 45)) as pilot:
            await wait_for(pilot, lambda: app.main.viewer.store.is_under_way)
            await wait_for(pilot, lambda: text_of(app)[0].rstrip().endswith("running · watching"))
            await wait_for(pilot, lambda: text_of(app)[0].rstrip().endswith("finished · watching"))
            assert [one.tally.samples for one in app.main.viewer.store.states] == [16_000] * 3
            await wait_for(pilot, lambda: "Their losses on all data lie" in "\n".join(text_of(app)))
        assert process.wait(PATIENCE) == 0


async def test_a_headless_run_that_is_killed_does_not_seem_to_go_on(
    run_path: Path, cli_env: dict[str, str]
) -> None:
    with training(run_path, cli_env, *SIZES, "--epochs", "1000", "--pace", "1") as process:
        app = GdtuiApp(
            RunDirectory.open(run_path), None, source=WatchSource(RunDirectory.open(run_path))
        )
        async with app.run_test(size=(160, 45)) as pilot:
            await wait_for(pilot, lambda: app.main.viewer.store.is_under_way)
            process.send_signal(signal.SIGKILL)
            await wait_for(pilot, lambda: app.main.viewer.store.has_ended)
            app.main.tick(figures=True)
            await wait_for(pilot, lambda: " running" not in "\n".join(text_of(app)))


async def test_beside_the_app_that_trains_all_charts_and_figures_are_the_same(
    run_path: Path,
) -> None:
    variants = tuple(
        Variant(name=name, settings=VariantSettings(batch_size=size))
        for name, size in (("Batch GD", "full"), ("Mini-batch", 64), ("Small batch", 16))
    )
    run = RunDirectory.create(run_path, RunSettings(variants=variants, epochs=1000, pace=2.0), "0")  # type: ignore[arg-type]
    with Session(run) as session:
        session.start()
        app = GdtuiApp(run, session)
        async with app.run_test(size=(160, 45)) as pilot:
            states = app.main.viewer.store.states
            await wait_for(pilot, lambda: all(one.tally.epoch > 2 for one in states))
            await pilot.press("right_square_bracket")
            await wait_for(pilot, lambda: all(one.tally.epoch > 3 for one in states))
            await pilot.press("space")
            await wait_for(pilot, lambda: {one.tally.state for one in states} == {State.PAUSED})
            app.main.tick(figures=True)
            await pilot.pause(0.5)
            own = text_of(app)
        watching = GdtuiApp(run, None, source=WatchSource(run))
        async with watching.run_test(size=(160, 45)) as pilot:
            await wait_for(
                pilot, lambda: watching.main.viewer.store.states[0].tally.state is State.PAUSED
            )
            watching.main.tick(figures=True)
            await pilot.pause(0.5)
            watched = text_of(watching)
    assert watched[0].rstrip().endswith("paused · watching")
    # The footer and the settings name the keys that obey.
    assert list(map(without_keys, watched[1:-1])) == list(map(without_keys, own[1:-1]))
    replay = Replay(run, 1.0)
    replay.set_speed(float("inf"))
    replaying = GdtuiApp(run, None, source=replay)
    async with replaying.run_test(size=(160, 45)) as pilot:
        await wait_for(pilot, lambda: replay.has_ended)
        samples = [one.tally.samples for one in replaying.main.viewer.store.states]
    assert samples == [one.tally.samples for one in watching.main.viewer.store.states]


def test_several_runs_and_the_newest_sweep_are_watched_from_the_command_line(
    make_run: Callable[..., RunDirectory], tmp_path: Path, cli_env: dict[str, str]
) -> None:
    root = tmp_path / "state" / "gdtui" / "runs"
    for name in ("one", "two"):
        make_run(root / name, names=("SGD", "Batch GD"))
    names = ("Mini-batch 8", "Mini-batch 16")
    variants = tuple(Variant(name=name, settings=VariantSettings()) for name in names)
    with SweepDirectory.create(root / "sweep", RunSettings(variants=variants), "0") as sweep:
        for name, folder in zip(names, sweep.info.arms, strict=True):
            make_run(sweep.path / folder, names=(name,))
    command = [sys.executable, "-m", "gdtui", "watch"]
    for arguments, shown in ((["one", "two"], ("one: SGD", "two: Batch GD")), ([], names)):
        with Terminal([*command, *arguments], env=cli_env, columns=160, rows=45) as terminal:
            for each in shown:
                terminal.wait_for(each)
            terminal.wait_for("Their losses on all data lie")
            terminal.send("q")
            assert terminal.wait() == 0


@pytest.mark.parametrize("arguments", [["one", "missing"], ["one", "two", "--replay", "5"]])
def test_what_cannot_be_watched_is_one_line(
    arguments: list[str],
    make_run: Callable[..., RunDirectory],
    tmp_path: Path,
    cli_env: dict[str, str],
) -> None:
    for name in ("one", "two"):
        make_run(tmp_path / "state" / "gdtui" / "runs" / name)
    command = [sys.executable, "-m", "gdtui", "watch", *arguments]
    with Terminal(command, env=cli_env, columns=160, rows=45) as terminal:
        assert terminal.wait() == 2
        (line,) = [line for line in terminal.text.splitlines() if line.strip()]
        assert line.startswith("gdtui watch: ")
