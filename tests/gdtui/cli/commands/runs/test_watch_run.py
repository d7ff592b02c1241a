"""The screen on somebody else's run: the same picture, and nothing that pretends to control it."""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from shown import ObservedApp, strips_of

from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.records import State, StateChanged
from engine.log.writing.writer import LogWriter
from gdtui.app import GdtuiApp
from gdtui.cli.commands.runs.watch_run import WatchSource, newest_run, open_run
from gdtui.control.run_controller import WATCHING
from gdtui.keys.script import parse_keys
from gdtui.state.record_source import LogSource, RecordSource
from gdtui.state.replay import Replay
from gdtui.state.store import Store

MakeRun = Callable[..., RunDirectory]


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
    assert own[1:-1] == watched[1:-1] == replayed[1:-1]
    assert "pause" in own[-1]
    assert "pause" in replayed[-1]
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


# --- A source -------------------------------------------------------------------------------------


def test_a_run_that_goes_on_is_followed_until_nobody_writes_it(make_run: MakeRun) -> None:
    run = make_run(epochs=1, state=State.RUNNING, is_ended=False)
    now = 0.0
    source, store = WatchSource(run, lambda: now), Store(run.info.settings)

    def read() -> int:
        new = list(source.read(1000))
        for name, record in new:
            store.add(name, record)
        return len(new)

    with LogWriter(run.variant_log("SGD")) as log:
        read()
        now = 10.0
        assert read() == 0
        assert store.variants["SGD"].tally.state is State.RUNNING
        log.append(StateChanged(generation=1, state=State.PAUSED, wall_time=77.0))
        assert read() == 1
        assert store.variants["SGD"].tally.state is State.PAUSED
    now = 20.0
    assert read() == 2
    assert read() == 0
    assert {one.tally.state for one in store.states} == {State.DIED}
    assert store.clock(1e9) == store.clock(2e9)


def test_a_run_that_ended_well_has_nothing_added(make_run: MakeRun) -> None:
    run = make_run()
    source = WatchSource(run)
    list(source.read(1000))
    assert list(source.read(1000)) == list(source.read(1000)) == []
    assert source.notices() == []


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


def test_the_newest_run_that_can_be_read(make_run: MakeRun, tmp_path: Path) -> None:
    root = tmp_path / "runs"
    with pytest.raises(RunDirectoryError, match="no run in"):
        open_run(None, root, is_replay=False)
    for name, created in (("b", 2.0), ("a", 3.0), ("c", 1.0)):
        run = make_run(root / name)
        info = msgspec.structs.replace(run.info, created=created)
        (run.path / "run.json").write_bytes(msgspec.json.encode(info))
    (root / "z").mkdir()
    (root / "z" / "run.json").write_text("{")
    assert newest_run(root).path.name == "a"
    assert open_run(root / "c", root, is_replay=False).path.name == "c"


def test_the_newest_run_is_looked_for_in_every_folder_of_runs(
    make_run: MakeRun, tmp_path: Path
) -> None:
    roots = tmp_path / "here", tmp_path / "there"
    with pytest.raises(RunDirectoryError, match=r"here or .*there"):
        newest_run(*roots)
    for root, created in zip(roots, (2.0, 3.0), strict=True):
        run = make_run(root / "run")
        info = msgspec.structs.replace(run.info, created=created)
        (run.path / "run.json").write_bytes(msgspec.json.encode(info))
    assert newest_run(*roots).path == roots[1] / "run"
    assert open_run(None, *reversed(roots), is_replay=False).path == roots[1] / "run"


def test_a_run_that_still_trains_cannot_be_replayed_yet(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    with LogWriter(run.session_log), pytest.raises(RunDirectoryError, match="still training"):
        open_run(run.path, tmp_path, is_replay=True)
    assert open_run(run.path, tmp_path, is_replay=True).path == run.path


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_log_that_may_not_be_read_is_said_before_the_screen(
    make_run: MakeRun, tmp_path: Path
) -> None:
    run = make_run()
    run.session_log.chmod(0)
    with pytest.raises(RunDirectoryError, match="no permission to read"):
        open_run(run.path, tmp_path, is_replay=False)
