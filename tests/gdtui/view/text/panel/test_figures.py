"""Validation and cost on the screen: hollow points, rows below charts, lines, results."""

import re
from pathlib import Path

import numpy as np
import pytest
from app_bench import NARROW, WIDE, Bench, N, evaluation, overlay, row, settle, state
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from shown import text_of

from engine.log.records import Chunk, Execution, Started, State, Validated
from engine.settings import RunSettings, Variant, VariantSettings
from gdtui.app import GdtuiApp
from gdtui.chart.widget.chart import Chart
from gdtui.state.store import Store
from gdtui.view.text import formatting
from gdtui.view.text.panel import figures
from gdtui.view.x_range import FixedRange

MIB = 2**20


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """One epoch trained by all, on a problem with held-out data."""
    bench = Bench(tmp_path / "run")
    bench.begin()
    for place, name in enumerate(bench.names):
        bench.train(name, np.linspace(0.8, 0.101, 200))
        bench.write(
            name,
            evaluation(1, loss=0.101 + place, validation=0.13 + place, metrics={"accuracy": 0.965}),
        )
    return bench


def validations(app: GdtuiApp) -> int:
    """Points of validation on the chart of all."""
    canvas = "".join(overlay(app).splitlines()[1:-1])
    return canvas.count("◇") + canvas.count("◈")


def below(app: GdtuiApp, place: int = 0) -> list[str]:
    """The rows of figures of a panel."""
    return [line.rstrip() for line in str(app.query(".figures")[place].render()).split("\n")]


def chunk(samples: int = 0) -> Chunk:
    """Ten batches of 10 samples and 2 ms."""
    return Chunk(
        generation=1, epoch=1, batch=samples // 10 + 1, update=samples // 10 + 1, in_update=0,
        samples=samples, seconds=samples * 2e-4, duration=0.02, batch_size=10, last_batch_size=10,
        accumulation_steps=1, lr=0.01, peak_memory=300 * MIB,
        losses=np.tile([0.4, 0.6], 5).astype("<f4").tobytes(),
    )  # fmt: skip


def began(device: str = "cpu") -> Started:
    return Started(
        generation=1, settings=VariantSettings(batch_size=10), n=N, model="", parameters=1,
        device=device, threads=1, epochs=1, pace=None,
    )  # fmt: skip


def stored(*, validation: float | None = 0.13, device: str = "cpu") -> Store:
    """A store with one variant that has trained 100 of 2,000 samples.

    A second one is still starting.
    """
    settings = VariantSettings(batch_size=10)
    names = ("a", "b")
    store = Store(
        RunSettings(variants=tuple(Variant(name=name, settings=settings) for name in names))
    )
    metrics = {} if validation is None else {"accuracy": 0.965}
    for record in (
        began(device),
        evaluation(0, loss=0.101, validation=validation, metrics=metrics),
        state(State.RUNNING, 10.0),
        chunk(),
    ):
        store.add("a", record)
    return store


def told(store: Store, width: int, height: int) -> list[str]:
    rows = figures.rows(store.states[0], store, 0.25, width, height).plain.split("\n")
    assert all(len(line) <= width for line in rows)
    return [" ".join(line.split()) for line in rows]


# --- Points ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_validation_is_hollow_points_that_the_title_names(
    bench: Bench, size: tuple[int, int]
) -> None:
    app = bench.app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        assert "◆ on all data · ◇ on validation data" in text_of(app)
        assert validations(app) == 3


async def test_the_y_axis_holds_them_all(bench: Bench) -> None:
    bench.train(bench.names[2], np.full(200, 0.1), batch=201)
    bench.write(bench.names[2], evaluation(2, loss=0.1, validation=7.5))
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        picture = app.query_one("#overlay", Chart).picture
        assert picture is not None
        values = [value for one in picture.series for value in one.validation.high.tolist()]
        assert sorted(values) == [0.13, 1.13, 2.13, 7.5]
        assert picture.y.low < 0.13
        assert 7.5 < picture.y.high < 10


async def test_between_the_ends_of_epochs_too_and_on_a_chart_alone(bench: Bench) -> None:
    bench.write(
        bench.names[0],
        *(
            Validated(
                generation=1, epoch=1, batches=k, updates=k, samples=10 * k, seconds=k, loss=1.5
            )
            for k in (50, 100, 150)
        ),
    )
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        app.main.look(window=FixedRange(0.0, 2_500.0))  # of the whole plan, a dozen are drawn
        await settle(pilot)
        assert validations(app) == 6
        await pilot.press("1", "z")
        await settle(pilot)
        assert "◆ on all data · ◇ on validation data" in text_of(app)
        assert validations(app) == 4


async def test_a_restart_begins_without_the_points_before(bench: Bench) -> None:
    bench.begin(2)
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert "◇" not in overlay(app)


async def test_without_held_out_data_nothing_is_said_of_validation(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    bench.finish()
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert "validation" not in text_of(app)  # the results
        await pilot.press("i")  # the panels, whose place they take
        await settle(pilot)
        assert "◇" not in text_of(app)
        assert "gap" not in "".join(line for place in range(3) for line in below(app, place))
        assert "validation" not in text_of(app)
        assert [len(below(app, place)) for place in range(3)] == [
            4,
            4,
            4,
        ]  # one is of what was measured


# --- Rows below a chart ---------------------------------------------------------------------------


async def test_a_panel_says_what_held_out_data_say_and_what_it_costs(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await settle(pilot)
        learnt, validated, done, noise, curvature = below(app)
        assert "◆ all data 0.101" in learnt
        assert validated.split() == [
            "◇",
            "validation",
            "0.130",
            "gap",
            "+0.029",
            "accuracy",
            "0.965",
        ]
        assert done.split() == ["200", "updates", "1,000", "samples/s", "–", "MiB"]
        assert (noise, curvature) == ("noise scale not measured yet", "")


def test_a_first_loss_of_a_part_of_the_data_is_shown_with_the_number_of_its_samples() -> None:
    store = stored()
    for one in store.states:
        part = replace(
            evaluation(0), generation=2, full_loss=None, part_loss=2.31, part_samples=2048
        )
        one.add(replace(began(), generation=2))
        one.add(part)
    assert told(store, 49, 4)[0] == "loss – noise – ◆ 2,048 samples 2.31"


def test_five_rows_are_how_good_how_general_how_far_and_what_was_measured() -> None:
    assert told(stored(), 49, 5) == [
        "loss 0.501 noise 0.120 ◆ all data 0.101",
        "◇ validation 0.130 gap +0.029 accuracy 0.965",
        "10 updates 5,000 samples/s 300 MiB",
        "noise scale not measured yet",
        "",
    ]
    assert told(stored(), 49, 4) == told(stored(), 49, 5)[:4]
    assert len(told(stored(validation=None), 49, 4)) == 4


def test_fewer_rows_keep_the_most_telling_of_each() -> None:
    assert told(stored(), 49, 3)[2] == "10 updates 5,000 samples/s 300 MiB"
    assert told(stored(), 49, 2) == [
        "loss 0.501 noise 0.120 ◆ 0.101 ◇ 0.130",
        told(stored(), 49, 3)[2],
    ]
    assert told(stored(), 160, 2) == [
        "loss 0.501 noise 0.120 ◆ all data 0.101 ◇ validation 0.130 gap +0.029 accuracy 0.965",
        "10 updates 100 samples 5,000 samples/s 2.00 ms/batch peak 300 MiB",
    ]


def test_a_compiled_step_shows_what_it_brings() -> None:
    store = stored()
    record = Execution(
        generation=1, batch=11, update=11, seconds=0.02, compiled=16, eager_speed=500.0
    )
    store.add("a", record)
    assert told(store, 160, 2)[1].split("samples/s ")[1].startswith("2.00 ms/batch peak 300 MiB")
    assert "compiled: –" in told(store, 160, 2)[1]
    store.add("a", chunk(100))  # ten updates in 0.02 s
    assert told(store, 60, 3)[2] == "20 updates 5,000 samples/s compiled: 1.0 ×"


def test_between_the_ends_of_epochs_the_gap_stays_for_nothing_else_is_measured() -> None:
    store = stored()
    between = Validated(
        generation=1, epoch=1, batches=5, updates=5, samples=50, seconds=0.01, loss=0.09,
        metrics={"accuracy": 0.97},
    )  # fmt: skip
    store.add("a", between)
    assert told(store, 49, 4)[:2] == [
        "loss 0.501 noise 0.120 ◆ all data 0.101",
        "◇ validation 0.0900 gap +0.029 accuracy 0.970",
    ]


def test_what_was_measured_at_an_epochs_end_before_the_last_is_pale() -> None:
    store = stored()

    def pale() -> str:
        rows = figures.rows(store.states[0], store, 0.25, 49, 4)
        return " ".join(text for text, style in rows.parts if style == "$quiet")

    assert not re.search("◆|gap", pale())
    store.add(
        "a", replace(evaluation(1, validation=0.12, metrics={"accuracy": 0.97}), full_loss=None)
    )
    assert re.search(r"◆ all data 0.101.*gap \+0.029", pale())
    assert "validation" not in pale()


def test_where_it_is_narrow_names_are_short() -> None:
    assert told(stored(), 36, 4)[1] == "◇ 0.130 gap +0.029 acc 0.965"


@pytest.mark.parametrize("width", [1, 5, 11, 12, 20, 30, 49, 80, 200])
@pytest.mark.parametrize("height", [0, 1, 2, 3, 4, 9])
def test_no_row_is_cut(width: int, height: int) -> None:
    assert len(told(stored(), width, height)) <= max(height, 1)


async def test_the_device_is_told_where_there_are_several(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    for place, name in enumerate(bench.names):
        bench.write(name, began(f"cuda:{place % 2}"), state(State.RUNNING, 1.0))
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert text_of(app).count("─ cuda:0 · running ─") == 2
        assert text_of(app).count("─ cuda:1 · running ─") == 1
        assert "cuda" not in row(app, "gdtui")
        await pilot.press("z")
        await settle(pilot)
        assert "cuda:1" in row(app, " 2 Mini-batch ")
        await pilot.press("2")
        await settle(pilot)
        assert "cuda:1 · running" in text_of(app)


def test_speed_is_that_of_lately() -> None:
    store = stored()
    for place in range(1, 100):
        store.add("a", lasting(chunk(place * 100), 0.04 if place > 50 else 0.02, place))
    assert "4.00 ms/batch" in told(store, 80, 4)[2]


def lasting(one: Chunk, duration: float, place: int) -> Chunk:
    seconds = 0.02 * min(place, 51) + 0.04 * max(place - 51, 0)
    return replace(one, duration=duration, seconds=seconds)


# --- Lines and results ----------------------------------------------------------------------------


async def test_a_line_says_the_validation_loss_where_there_is_no_room_for_more(
    bench: Bench,
) -> None:
    app = bench.app()
    async with app.run_test(size=NARROW) as pilot:
        await settle(pilot)
        assert row(app, "1 Batch GD").split()[-6:] == [
            "█",
            "◆",
            "0.101",
            "◇",
            "0.130",
            "running",
        ]


async def test_a_wide_line_says_it_all_in_columns(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("z")
        await settle(pilot)
        shown = text_of(app).splitlines()
        lines = [
            next(line for line in shown if line.startswith(f"  {place} {name} "))
            for place, name in enumerate(bench.names, start=1)
        ]
        for part in (
            "noise",
            "◆",
            "◇",
            "gap +0.029",
            "acc 0.965",
            "samples/s",
            "ms/batch",
            "running",
        ):
            assert len({line.index(part) for line in lines}) == 1


async def test_the_results_have_columns_for_validation(bench: Bench) -> None:
    for name in bench.names:
        bench.write(name, state(State.FINISHED, 20.0))
    app = bench.app()
    async with app.run_test(size=NARROW) as pilot:
        await settle(pilot)
        assert "all data noise σ validation     gap accuracy updates  training" in text_of(app)
        assert re.search(r"0\.101 +0\.\d+ +0\.130 \+0\.0290 +0\.965 +200", text_of(app))


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [(0.029, 2, "+0.029"), (-0.0849, 3, "−0.0849"), (0.000512, 2, "+0.0005"), (0.0, 2, "+0"),
     (float("nan"), 2, "–")],
)  # fmt: skip
def test_a_difference_has_a_sign_and_keeps_to_its_cells(
    value: float, digits: int, expected: str
) -> None:
    assert formatting.signed(value, 7, digits) == expected


@pytest.mark.parametrize(
    ("value", "cells", "expected"),
    [
        (0.000123, 7, "0.00012"),
        (0.00893, 5, "0.009"),
        (0.965, 5, "0.965"),
        (2.5e-7, 7, "2.50e-7"),
        (4e-4, 5, "0.0004"),
    ],
)
def test_digits_give_way_to_the_room(value: float, cells: int, expected: str) -> None:
    assert formatting.within(value, cells) == expected


@given(
    losses=st.tuples(st.floats(1e-9, 9_999), st.floats(1e-9, 9_999)),
    accuracy=st.floats(0.001, 1),
    width=st.integers(30, 100),
)
def test_no_figure_moves_with_the_values(
    losses: tuple[float, float], accuracy: float, width: int
) -> None:
    """The figures and their places follow from the width alone."""
    full, validation = losses
    measured = evaluation(1, loss=full, validation=validation, metrics={"accuracy": accuracy})
    one, other = stored(), stored()
    other.add("a", replace(measured, updates=10))
    places = [
        [row.find(name) for name in ("◆", "◇", "gap", "acc", "samples", "ms/batch", "MiB")]
        for row in (
            figures.rows(each.states[0], each, 0.25, width, 4).plain for each in (one, other)
        )
    ]
    assert places[0] == places[1]


# --- Before there is a figure ---------------------------------------------------------------------


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_while_the_first_loss_is_measured_every_chart_says_so(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    """Settings of a large model that takes a while."""
    bench = Bench(tmp_path / "run")
    for name in bench.names:
        bench.write(name, state(State.STARTING, 1.0, "loading synthetic"), began())
    app = bench.app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        assert "measuring the loss on all data" in " ".join(overlay(app).split())
        await pilot.press("1", "z")
        await settle(pilot)
        assert "measuring the loss on all data" in " ".join(overlay(app).split())


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_a_mistake_in_a_problem_is_read_whole_in_the_chart(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    bench = Bench(tmp_path / "run")
    detail = (
        "mine.py:13: ValueError: "
        + "a message that is longer than a screen is wide, " * 3
        + "and its end"
    )
    for name in bench.names:
        bench.write(name, state(State.FAILED, 1.0, detail))
    app = bench.app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        said = " ".join(overlay(app).replace("│", " ").split())
        assert f"failed: {detail}" in said
