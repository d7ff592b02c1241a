"""A file that somebody else's run names is run only after a yes, for the landscape and a sweep."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from app_bench import Bench
from overlay_bench import watching
from shown import ObservedApp, text_of
from textual.pilot import Pilot
from textual.widgets import Static

from engine.log.directory import RunDirectory
from engine.settings import DataSettings, RunSettings, Variant, VariantSettings
from gdtui.screens import landscape
from gdtui.screens.consent import ConsentScreen
from gdtui.screens.lab.sweep import SweepScreen
from gdtui.screens.landscape import LandscapeScreen

OPENED = {"v": LandscapeScreen, "W": SweepScreen}


class NoSurveyor:
    """Stands for a process that would run the problem."""

    started = 0

    def __init__(self, run: RunDirectory, others: Sequence[RunDirectory]) -> None:
        type(self).started += 1

    def request(self, wanted: object) -> None:
        pass

    def poll(self) -> list[object]:
        return []

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def surveyor(monkeypatch: pytest.MonkeyPatch) -> type[NoSurveyor]:
    monkeypatch.setattr(NoSurveyor, "started", 0)
    monkeypatch.setattr(landscape, "Surveyor", NoSurveyor)
    return NoSurveyor


def run_of(path: Path, problem: str, data: DataSettings | None = None) -> RunDirectory:
    """A run of that problem, as another process has begun it."""
    variants = (Variant(name="SGD", settings=VariantSettings()),)
    RunDirectory.create(path, RunSettings(variants=variants, problem=problem, data=data), "0")
    return RunDirectory.open(path)


def app_on(run: RunDirectory) -> ObservedApp:
    return ObservedApp(run, None)


def text(pilot: Pilot[None]) -> str:
    """The question."""
    return str(pilot.app.screen.query_one("#consent Static", Static).content)


@pytest.mark.parametrize("key", OPENED)
@pytest.mark.parametrize("no", ["n", "escape"])
async def test_it_is_asked_naming_the_file_and_no_is_no(
    key: str, no: str, tmp_path: Path, surveyor: type[NoSurveyor]
) -> None:
    app = app_on(run_of(tmp_path / "run", f"{tmp_path}/net.py:problem"))
    async with app.run_test(size=(160, 45)) as pilot:
        for _ in range(2):
            await pilot.press(key)
            await pilot.pause()
            assert isinstance(app.screen, ConsentScreen)
            assert str(tmp_path / "net.py") in text(pilot).split("\n")
            assert "run this file?" in text_of(app)
            await pilot.press("enter", "space", key)
            assert isinstance(app.screen, ConsentScreen), "only an answer ends it"
            await pilot.press(no)
            await pilot.pause()
            assert app.screen is app.main
    assert surveyor.started == 0


@pytest.mark.parametrize("key", OPENED)
async def test_after_a_yes_it_opens_and_is_not_asked_again(key: str, tmp_path: Path) -> None:
    app = app_on(run_of(tmp_path / "run", f"{tmp_path}/net.py:problem"))
    async with app.run_test(size=(160, 45)) as pilot:
        await pilot.press(key)
        await pilot.press("y")
        await pilot.pause()
        assert isinstance(app.screen, OPENED[key])
        await pilot.press("escape")
        for other, screen in OPENED.items():
            await pilot.press(other)
            await pilot.pause()
            assert isinstance(app.screen, screen)
            await pilot.press("escape")


@pytest.mark.parametrize("key", OPENED)
@pytest.mark.parametrize(
    ("problem", "data"), [("synthetic", None), ("table", DataSettings(path="/data/houses.csv"))]
)
async def test_a_problem_of_gdtuis_own_needs_no_question(
    key: str, problem: str, data: DataSettings | None, tmp_path: Path
) -> None:
    app = app_on(run_of(tmp_path / "run", problem, data))
    async with app.run_test(size=(160, 45)) as pilot:
        await pilot.press(key)
        await pilot.pause()
        assert isinstance(app.screen, OPENED[key])


@pytest.mark.parametrize("key", OPENED)
async def test_ones_own_run_needs_no_question(key: str, tmp_path: Path, bench: Bench) -> None:
    settings = msgspec.structs.replace(
        bench.run.info.settings, problem=f"{tmp_path}/net.py:problem"
    )
    app = app_on(RunDirectory.create(tmp_path / "mine", settings, "0"))
    async with app.run_test(size=(160, 45)) as pilot:
        await pilot.press(key)
        await pilot.pause()
        assert isinstance(app.screen, OPENED[key])


async def test_a_relative_name_is_shown_as_what_would_be_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = app_on(run_of(tmp_path / "run", "net.py"))
    async with app.run_test(size=(160, 45)) as pilot:
        await pilot.press("v")
        await pilot.pause()
        assert str(tmp_path / "net.py") in text(pilot).split("\n")


@pytest.mark.parametrize("size", [(160, 45), (80, 24), (40, 12), (20, 6)])
async def test_it_is_legible_at_every_size(size: tuple[int, int], tmp_path: Path) -> None:
    app = app_on(run_of(tmp_path / "run", "/x/net.py"))
    async with app.run_test(size=size) as pilot:
        await pilot.press("v")
        await pilot.pause()
        assert isinstance(app.screen, ConsentScreen)
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is app.main


async def test_a_name_that_a_terminal_would_obey_is_shown_escaped(tmp_path: Path) -> None:
    app = app_on(
        run_of(tmp_path / "run", "/x/\x1b]52;c;ZXZpbA==\x07[bold]\N{RIGHT-TO-LEFT OVERRIDE}.py")
    )
    async with app.run_test(size=(160, 45)) as pilot:
        await pilot.press("v")
        await pilot.pause()
        shown = text(pilot)
    assert "\\x1b]52;c;ZXZpbA==\\x07[bold]\\u202e.py" in shown
    assert shown.replace("\n", "").isprintable()


async def test_of_several_runs_each_file_is_asked_for_when_its_variant_is_chosen(
    tmp_path: Path, surveyor: type[NoSurveyor]
) -> None:
    for name in ("one", "two"):
        run_of(tmp_path / name, f"{tmp_path}/{name}.py:problem")
    app = watching(tmp_path / "one", tmp_path / "two")
    async with app.run_test(size=(160, 45)) as pilot:
        await pilot.pause()
        for key, file in (("1", "one.py"), ("2", "two.py")):
            await pilot.press(key, "v")
            await pilot.pause()
            assert file in text(pilot)
            await pilot.press("y")
            await pilot.pause()
            assert isinstance(app.screen, LandscapeScreen)
            await pilot.press("escape", "v")
            await pilot.pause()
            assert isinstance(app.screen, LandscapeScreen), "asked once"
            await pilot.press("escape")
    assert surveyor.started == 4
