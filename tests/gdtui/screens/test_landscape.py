"""The landscape on screen: the minimum as drawn, paths through their points, keys' requests."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from app_bench import Bench
from made_up import WINDOW, laid
from overlay_bench import set_settings, watching
from shown import text_of
from textual.pilot import Pilot

from engine.landscape.plane import Window
from engine.landscape.protocol import (
    AnySurveyMessage,
    LossRow,
    SurveyFailed,
    SurveyRequest,
    Trajectories,
)
from engine.log.directory import RunDirectory
from gdtui.screens.landscape import LandscapeScreen, described
from gdtui.state.overlay.shown_runs import ShownRuns
from gdtui.view.terrain import Terrain, TerrainInks, cell_of, heights, image, relief
from gdtui.widgets.map import Map

INKS = TerrainInks(
    low="#000000", high="#c0c0c0", contour="#ffffff", variants=("#ff0000", "#00ff00", "#0000ff")
)
MINIMUM = np.array([0.7, 0.4])


def bowl(columns: int, rows: int, window: Window = WINDOW) -> list[np.ndarray]:
    """A quadratic's losses at the centres of a grid's cells, row by row from the top."""
    x, y = window.centres(columns, rows)
    return [((x - MINIMUM[0]) ** 2 + 3 * (row - MINIMUM[1]) ** 2).astype("<f4") for row in y]


def surveyed(columns: int, rows: int, *grids: tuple[int, int]) -> Terrain:
    terrain = Terrain(WINDOW)
    for wide, high in grids:
        for row, losses in enumerate(bowl(wide, high)):
            terrain.put(row, high, losses)
    return terrain


@pytest.mark.parametrize("grids", [[(20, 10)], [(20, 10), (80, 40)]])
def test_the_drawn_minimum_is_within_a_cell_of_the_grid(grids: list[tuple[int, int]]) -> None:
    losses = surveyed(80, 40, *grids).losses(80, 40)
    row, column = np.unravel_index(np.nanargmin(losses), losses.shape)
    at = cell_of(MINIMUM, WINDOW, 80, 40)
    cell = 80 / grids[-1][0]
    assert abs(column + 0.5 - at[0]) <= cell
    assert abs(row + 0.5 - at[1]) <= cell


def test_the_fine_grid_is_what_was_taken_there() -> None:
    assert np.allclose(surveyed(80, 40, (20, 10), (80, 40)).losses(80, 40), bowl(80, 40), rtol=1e-6)


def test_what_is_not_surveyed_yet_is_background_and_what_is_not_finite_the_highest() -> None:
    terrain = Terrain(WINDOW)
    terrain.put(0, 4, np.array([1.0, np.inf, 3.0, 2.0], "<f4"))
    dots = image(terrain, 4, 8, INKS, "#123456", [])
    assert dots[-1].tolist() == [[0x12, 0x34, 0x56]] * 4
    high = heights(np.array([[1.0, np.inf, 3.0]]))
    assert high[0, 1] == high[0, 2] == 1
    assert high[0, 0] == 0


def test_paths_are_drawn_where_their_points_lie() -> None:
    path = np.array([[-1.5, 1.5], [0.0, 0.0], [2.5, -0.5]], np.float32)
    dots = image(surveyed(50, 30, (50, 30)), 50, 30, INKS, "#000000", [path[:0], path])
    for point in path:
        column, row = cell_of(point, WINDOW, 50, 30)
        assert dots[int(row), int(column)].tolist() == [0, 255, 0]
    painted = (dots == [0, 255, 0]).all(axis=2)
    assert painted.any(axis=0)[5:45].all()  # without a gap between the points


def test_without_colours_the_loss_is_dense_and_each_path_its_number() -> None:
    path = np.array([[-1.5, 1.5], [0.0, 0.0], [2.5, -0.5]], np.float32)
    drawn = relief(surveyed(50, 30, (50, 30)), 50, 15, [path[:0], path])
    rows = ["".join(map(chr, row)) for row in drawn.characters]
    assert set("".join(rows)) == set(" ░▒▓2"), "the empty path leaves no number"
    column, row = cell_of(MINIMUM, WINDOW, 50, 15)
    assert rows[int(row)][int(column)] == " "
    assert rows[-1][0] == "▓"
    for point in path:
        column, row = cell_of(point, WINDOW, 50, 15)
        assert rows[int(row)][int(column)] == "2"
        assert drawn.owners[int(row), int(column)] == 1
    assert ((drawn.owners < 0) == (drawn.characters != ord("2"))).all()


def test_a_path_far_outside_is_cut() -> None:
    path = np.array([[0, 0], [1e12, 1e12]], np.float32)
    dots = image(surveyed(50, 30, (50, 30)), 50, 30, INKS, "#000000", [path])
    assert (dots == [255, 0, 0]).all(axis=2).any()


@pytest.mark.parametrize(
    ("found", "width", "said"),
    [
        (
            {},
            158,
            "loss 0.100–2.00 on all data · principal plane of the paths: 93.1% of their variance",
        ),
        (
            {"normalises": True, "samples": 500},
            158,
            "loss 0.100–2.00 on 500 of 2,000 samples · principal plane of the paths: 93.1% of "
            "their variance · BatchNorm statistics re-estimated at each point",
        ),
        (
            {"normalises": True},
            78,
            "loss 0.100–2.00 · 93.1% of the paths' variance · BatchNorm anew",
        ),
        (
            {"is_exact": True, "remembers_more": True},
            158,
            "loss 0.100–2.00 on all data · both parameters: all there is · other buffers as at the "
            "start",
        ),
    ],
)
def test_the_title_says_what_the_loss_is_of(
    found: dict[str, object], width: int, said: str
) -> None:
    assert described(laid(**found), (0.1, 2.0), True, width) == said
    assert described(laid(**found), (0.1, 2.0), False, 200).endswith(" · surveying…")


class FakeSurveyor:
    """Answers what a test tells it to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.looks: list[SurveyRequest] = []
        self.found: list[AnySurveyMessage] = []
        self.is_closed = False

    def request(self, wanted: SurveyRequest) -> None:
        self.looks.append(wanted)

    def poll(self) -> list[AnySurveyMessage]:
        found, self.found = self.found, []
        return found

    def close(self) -> None:
        self.is_closed = True

    def answer(self, path: np.ndarray) -> None:
        look = self.looks[-1]
        window = look.window or WINDOW
        self.found.append(laid(id=look.id, window=window))
        self.found.append(Trajectories(points=(path.astype("<f4").tobytes(), b"", b"")))
        for row, losses in enumerate(bowl(look.columns, look.rows, window)):
            self.found.append(LossRow(row=row, rows=look.rows, losses=losses.tobytes()))


PATH = np.array([[-1.0, 1.0], [0.5, 0.5]])


@asynccontextmanager
async def shown(
    bench: Bench, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[LandscapeScreen, FakeSurveyor, Pilot[None]]]:
    """The screen over that of a run, before any answer."""
    app, surveyor = bench.app(), FakeSurveyor()
    async with app.run_test(size=size) as pilot:
        screen = LandscapeScreen(app.main, ShownRuns.of(bench.run), surveyor=surveyor)  # type: ignore[arg-type]
        app.push_screen(screen)
        await pilot.pause()
        yield screen, surveyor, pilot


@pytest.mark.parametrize("size", [(160, 45), (80, 24), (20, 5)])
async def test_the_screen_shows_the_map_and_the_paths(bench: Bench, size: tuple[int, int]) -> None:
    async with shown(bench, size) as (screen, surveyor, pilot):
        assert surveyor.looks[0].window is None
        surveyor.answer(PATH)
        screen.look()
        await pilot.pause()
        board = screen.query_one(Map)
        assert len(board.dots) == 2 * board.size.height
        column, row = cell_of(PATH[-1], WINDOW, board.size.width, board.size.height)
        assert board.marks[int(row), int(column)][0] == "1"
        if size[0] >= 80:
            assert "93.1% of the" in text_of(screen.query_one("#landscape-title"))
            assert text_of(pilot.app).rstrip().endswith("3 SGD" if size[0] > 100 else "○ start"), (
                "whose paths"
            )


async def test_who_has_not_left_the_start_yet_is_told_there(bench: Bench) -> None:
    async with shown(bench) as (screen, surveyor, _):
        surveyor.answer(PATH)
        other = PATH.astype("<f4").tobytes()
        surveyor.found.append(Trajectories(points=(PATH[:1].astype("<f4").tobytes(), other, b"")))
        screen.look()
        assert {character for character, _ in screen.query_one(Map).marks.values()} == {"1", "2"}


async def test_keys_zoom_pan_and_come_back(bench: Bench) -> None:
    async with shown(bench) as (screen, surveyor, pilot):
        surveyor.answer(PATH)
        screen.look()
        await pilot.press("plus", "right", "up")
        *_, zoomed, right, up = (look.window for look in surveyor.looks)
        assert zoomed == WINDOW.zoomed(0.7)
        assert right == zoomed.panned(0.2, 0)
        assert up == right.panned(0, 0.2)
        stale = surveyor.looks[0].id
        surveyor.found.append(laid(id=stale))
        screen.look()  # late: it was about another window
        await pilot.press("plus")
        assert surveyor.looks[-1].window == up.zoomed(0.7)
        await pilot.press("home")
        assert surveyor.looks[-1].window is None
        await pilot.press("escape")
        await pilot.pause()
        assert surveyor.is_closed
        assert pilot.app.screen is not screen


async def test_a_failure_is_said(bench: Bench) -> None:
    async with shown(bench) as (screen, surveyor, pilot):
        surveyor.found.append(SurveyFailed(detail="no such problem"))
        screen.look()
        await pilot.pause()
        assert "no such problem" in text_of(screen.query_one("#landscape-title"))


async def test_of_several_runs_those_that_began_alike_are_shown_each_under_its_own_number(
    make_run: Callable[..., RunDirectory], tmp_path: Path
) -> None:
    paths = []
    for name, seed in (("a", 0), ("b", 7), ("c", 0)):
        run = make_run(tmp_path / name, names=("SGD",))
        set_settings(run, seed=seed)
        paths.append(run.path)
    app, surveyor = watching(*paths), FakeSurveyor()
    async with app.run_test(size=(140, 24)) as pilot:
        shown = app.main.context.shown
        screen = LandscapeScreen(app.main, shown, at=2, surveyor=surveyor)  # type: ignore[arg-type]
        app.push_screen(screen)
        await pilot.pause()
        look = surveyor.looks[-1]
        surveyor.found.append(laid(id=look.id, window=WINDOW))
        surveyor.found.append(
            Trajectories(points=(PATH.astype("<f4").tobytes(), PATH[::-1].astype("<f4").tobytes()))
        )
        screen.look()
        await pilot.pause()
        marks = {character for character, _ in screen.query_one(Map).marks.values()}
        assert marks & set("123") == {"1", "3"}
        assert "1 a  3 c" in text_of(app)
