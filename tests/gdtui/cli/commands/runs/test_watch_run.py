"""The screen on somebody else's run: the same picture, and nothing that pretends to control it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from shown import ObservedApp, strips_of, without_keys

from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.records import State
from engine.log.writing.writer import LogWriter
from engine.sweep.directory import SweepDirectory
from gdtui.app import GdtuiApp
from gdtui.cli.commands.runs.watch_run import open_watched
from gdtui.control.pace_controller import WATCHING
from gdtui.keys.script import parse_keys
from gdtui.state.overlay.watch_source import WatchSource
from gdtui.state.record_source import LogSource, RecordSource
from gdtui.state.replay import Replay

MakeRun = Callable[..., RunDirectory]
MakeSweep = Callable[..., SweepDirectory]


def text_of(app: GdtuiApp) -> list[str]:
    """The lines on the screen."""
    return [strip.text for strip in strips_of(app)]


async def screen_of(
    run: RunDirectory, source: RecordSource, size: tuple[int, int] = (140, 40), *keys: str
) -> list[str]:
    """The screen once everything is read, and these keys pressed."""
    app = ObservedApp(run, None, source=source)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        app.main.tick(figures=True)
        await pilot.press(*keys)
        await pilot.pause(0.2)
        return text_of(app)


# --- What is shown --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(160, 45), (80, 24)])
async def test_all_but_the_role_is_what_the_trainer_sees(
    size: tuple[int, int], make_run: MakeRun
) -> None:
    run = make_run(epochs=30)
    own = await screen_of(run, LogSource(run), size, "escape")
    watched = await screen_of(run, WatchSource(run), size, "escape")
    replay = Replay(run, 1.0)
    replay.set_speed(float("inf"))
    replayed = await screen_of(run, replay, size, "escape")
    assert watched[1:-1] == replayed[1:-1]
    assert list(map(without_keys, own[1:-1])) == list(map(without_keys, watched[1:-1]))
    assert "continue" in own[-1]
    assert not any(word in watched[-1] for word in ("batch", "lr", "pause", "restart")), (
        "keys that do nothing"
    )
    assert "help" in watched[-1]
    assert "axis" in watched[-1]
    assert own[0].rstrip().endswith("finished")
    assert watched[0].rstrip().endswith("finished · watching")
    assert replayed[0].rstrip().endswith("finished · replay ended")


async def test_results_of_anothers_run_offer_nothing_that_only_its_trainer_can_do(
    make_run: MakeRun,
) -> None:
    run = make_run(epochs=30)
    assert "S restarts all" in "".join(await screen_of(run, LogSource(run)))
    watched = "".join(await screen_of(run, WatchSource(run)))
    assert "results" in watched
    assert "restarts" not in watched


@pytest.mark.parametrize("damage", ["no end", "flipped"])
async def test_an_end_by_force_and_a_damaged_log_show_as_such(
    damage: str, make_run: MakeRun
) -> None:
    run = make_run(epochs=40, state=State.RUNNING, is_ended=damage != "no end")
    log = run.variant_log("SGD")
    data = bytearray(log.read_bytes())
    if damage == "flipped":
        data[len(data) // 2] ^= 4
        log.write_bytes(data)
    app = ObservedApp(run, None, source=WatchSource(run))
    async with app.run_test(size=(160, 45)) as pilot:
        await pilot.pause()
        app.main.tick(figures=True)
        await pilot.pause(0.2)
        shown = " ".join(text_of(app))
        assert len(app.main.viewer.store.variants["SGD"].current.history) > 10  # type: ignore[union-attr]
        if damage == "no end":
            assert shown.count("killed") == 2
            assert "died" in text_of(app)[0]
        else:
            assert "damaged at byte" in shown
            assert any("damaged at byte" in note for note in app.note_texts)
            assert "stopped" in shown


# --- Keys -----------------------------------------------------------------------------------------


async def test_keys_that_would_control_it_say_that_they_cannot(make_run: MakeRun) -> None:
    run = make_run()
    before = {file.name: file.read_bytes() for file in run.path.iterdir()}
    app = ObservedApp(run, None, source=WatchSource(run))
    async with app.run_test(size=(140, 40)) as pilot:
        await pilot.pause()
        for key in (
            "right_square_bracket", "comma", "a", "m", "enter", "r", "S", "s", "space", "n", "c",
            "f", "less_than_sign", "greater_than_sign",
        ):  # fmt: skip
            app.clear_notifications()
            await pilot.press(key)
            await pilot.pause()
            assert app.note_texts == {WATCHING}, key
            assert len(app.screen_stack) == 1
        await pilot.press("y")
        assert app.main.viewer.view.log
    assert {file.name: file.read_bytes() for file in run.path.iterdir()} == before


async def test_space_pauses_a_replay_and_the_header_says_so(make_run: MakeRun) -> None:
    run = make_run(epochs=100)
    app = ObservedApp(run, None, source=Replay(run, 10.0))
    async with app.run_test(size=(140, 40)) as pilot:
        await pilot.pause()
        assert text_of(app)[0].rstrip().endswith("replay ×10")
        await pilot.press("greater_than_sign", "space")
        await pilot.pause()
        assert text_of(app)[0].rstrip().endswith("replay ×20 paused")


async def test_a_script_of_keys_begins_when_every_variant_shows_a_loss_and_can_end_the_app(
    make_run: MakeRun,
) -> None:
    run = make_run(epochs=3, state=State.RUNNING, is_ended=False)
    late = run.variant_log("SGD")
    whole = late.read_bytes()
    late.write_bytes(b"")
    with LogWriter(run.variant_log("Mini-batch")):  # somebody trains
        app = ObservedApp(run, None, source=WatchSource(run), keys=parse_keys("y ? 100ms escape q"))
        async with app.run_test(size=(140, 40)) as pilot:
            await pilot.pause(0.5)
            assert not app.main.viewer.view.log
            late.write_bytes(whole)
            for _ in range(200):
                if not app.is_running:
                    break
                await pilot.pause(0.02)
            assert app.main.viewer.view.log
            assert not app.is_running
    assert app.return_code == 0


# --- Which run ------------------------------------------------------------------------------------


def watched(*paths: Path, root: Path, replay: float | None = None) -> list[Path]:
    """The directories of the runs that are watched."""
    return [run.path for run in open_watched(paths, root, replay=replay).shown.runs]


def test_a_run_that_still_trains_cannot_be_replayed_yet(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    with LogWriter(run.session_log), pytest.raises(RunDirectoryError, match="still training"):
        watched(run.path, root=tmp_path, replay=1.0)
    opened = open_watched([run.path], tmp_path, replay=1.0)
    assert isinstance(opened.source, Replay)


def test_several_runs_and_sweeps_cannot_be_replayed(
    make_run: MakeRun, make_sweep: MakeSweep, runs_root: Path
) -> None:
    one, two = make_run(runs_root / "a"), make_run(runs_root / "b")
    with pytest.raises(RunDirectoryError, match=r"single run: give one, such as .*/a"):
        watched(one.path, two.path, root=runs_root, replay=1.0)
    sweep = make_sweep(runs_root / "sweep")
    with pytest.raises(RunDirectoryError, match=r"is a sweep of 3: give one, such as .*/sgd"):
        watched(root=runs_root, replay=1.0)
    assert watched(sweep.arm_paths[1], root=runs_root, replay=1.0) == [sweep.arm_paths[1]]


def test_without_an_argument_the_newest_run_is_watched_or_all_arms_of_the_newest_sweep(
    make_run: MakeRun, make_sweep: MakeSweep, runs_root: Path
) -> None:
    run = make_run(runs_root / "z")
    assert watched(root=runs_root) == [run.path]
    sweep = make_sweep(runs_root / "a")
    assert watched(root=runs_root) == sweep.arm_paths
    later = make_run(runs_root / "b")
    assert watched(root=runs_root) == [later.path]
