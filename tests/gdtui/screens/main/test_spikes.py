"""One spike among millions of losses, from log to chart cells: nothing may hide it."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from app_bench import Bench
from shown import text_of

from engine.log.follow import Follower
from gdtui.chart.drawing.canvas import compose
from gdtui.chart.drawing.cells import Cells
from gdtui.chart.drawing.parts.off_scale import ABOVE, BELOW
from gdtui.chart.drawing.raster import place
from gdtui.chart.scene.layout import room
from gdtui.chart.scene.picture import Picture
from gdtui.chart.widget.chart import Chart
from gdtui.state.store import Store
from gdtui.view import pictures
from gdtui.view.pictures import AxisRanges, ChartSize
from gdtui.view.text.formatting import number
from gdtui.view.view_state import ViewState

SPIKE = 10.0
CHUNK = 100_000
HEIGHT = 18


def spiked(path: Path, batches: int, seed: int) -> tuple[Bench, int]:
    """A run of one variant with its spike, and the samples before that."""
    bench = Bench(path, "1")
    rng = np.random.default_rng(seed)
    spike = int(rng.integers(batches))
    bench.begin()
    noise = rng.normal(0.5, 0.05, min(batches, 1_000_000)).astype("<f4")
    for start in range(0, batches, CHUNK):
        losses = noise[start % len(noise) :][:CHUNK].copy()
        if start <= spike < start + CHUNK:
            losses[spike - start] = SPIKE
        bench.train("SGD", losses, batch=start + 1)
    return bench, spike * 10


def read(bench: Bench) -> Store:
    store = Store(bench.run.info.settings)
    for name, record in Follower(bench.run).read(10**9):
        store.add(name, record)
    return store


def drawn(
    store: Store, width: int, height: int = HEIGHT, *, log: bool = False
) -> Iterator[tuple[Picture, Cells]]:
    """Overlay and the variant's own chart at this width, frameless: plotext takes long for one."""
    (one,) = store.states
    for draw in (pictures.overlay, lambda *rest: pictures.panel(rest[0], one, *rest[1:])):
        y = None
        for _ in range(2):
            place_of = room(y, width, height)
            canvas = ChartSize(2 * place_of.width, place_of.width, place_of.height)
            picture, _ = draw(store, ViewState(log=log), canvas, AxisRanges())
            y = picture.y
        cells = Cells.blank(width, height)
        compose(picture, cells.part(room(y, width, height)), "#000000")
        yield picture, cells


def shows_spike(picture: Picture, cells: Cells, at: int) -> bool:
    """Dots at its very place, or, where the axis ends below it, the mark for what lies above."""
    canvas = room(picture.y, cells.width, cells.height)
    inside = cells.part(canvas)
    column = int(place(np.array([float(at)]), picture.x, canvas.width, 1)[0])
    if picture.y.high < SPIKE:
        return bool(inside.characters[0, column] == ABOVE)
    row = int(place(np.array([SPIKE]), picture.y, canvas.height, 1, downwards=True)[0])
    return 0x2800 < inside.characters[row, column] <= 0x28FF


def marked(picture: Picture, cells: Cells) -> set[int]:
    """The columns of the canvas that carry a mark."""
    inside = cells.part(room(picture.y, cells.width, cells.height))
    return {*np.flatnonzero((inside.characters == ABOVE) | (inside.characters == BELOW)) % (
        inside.width
    )}  # fmt: skip


@pytest.mark.parametrize("log", [False, True])
def test_one_spike_of_300_000_stands_out_at_every_size(tmp_path: Path, log: bool) -> None:
    bench, at = spiked(tmp_path / "run", 300_000, seed=4)
    store = read(bench)
    for width, height in product(range(72, 205, 7), (8, 14, 22, 40)):
        for picture, cells in drawn(store, width, height, log=log):
            assert picture.y.high < SPIKE / 2
            assert shows_spike(picture, cells, at)
            others = len(marked(picture, cells)) - 1
            assert others <= 0.05 * width, (width, height, others)
            told = "".join(map(chr, cells.characters[0]))
            assert "▲" in told
            assert f" 1 loss above {number(picture.y.high, 2)}" in told.replace("▲", " "), told


def test_a_spike_in_a_million_is_on_both_charts_at_every_width(tmp_path: Path) -> None:
    bench, at = spiked(tmp_path / "run", 1_000_000, seed=1)
    store = read(bench)
    for width in range(40, 301):
        for picture, cells in drawn(store, width):
            assert shows_spike(picture, cells, at), (width, picture.title)


def test_a_spike_in_ten_million_is_on_both_charts(tmp_path: Path) -> None:
    bench, at = spiked(tmp_path / "run", 10_000_000, seed=2)
    store = read(bench)
    assert store.states[0].tally.batches == 10_000_000
    for picture, cells in drawn(store, 160):
        assert shows_spike(picture, cells, at), picture.title


async def test_the_app_shows_it(tmp_path: Path) -> None:
    bench, at = spiked(tmp_path / "run", 100_000, seed=3)
    app = bench.app(watching=True)
    async with app.run_test(size=(160, 45)) as pilot:
        for columns in (60, 100, 160, 300):
            await pilot.resize_terminal(columns, 45)
            await pilot.pause()
            app.main.tick()
            await pilot.pause()
            row = next(row for row in text_of(app).splitlines() if "▲" in row)
            chart = app.query_one("#overlay", Chart)
            column = row.index("▲") - chart.content_region.x - chart.canvas.left
            assert abs(column - chart.column_at(at)) <= 1, columns
