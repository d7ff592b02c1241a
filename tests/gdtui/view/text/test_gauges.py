"""The measurements in one line, and the keys that ask for them."""

import math
from pathlib import Path

import msgspec
import pytest
from app_bench import Bench, changed

from engine.log.commands import Measure, SetMeasuring
from engine.log.json_report import report
from engine.log.measurements import NoiseScale, Sharpness
from engine.log.records import Measured, MeasuringSet, Started, State, StateChanged
from engine.log.summary import Tally
from engine.settings import FULL, BatchSize, VariantSettings
from gdtui.state.variant import VariantState
from gdtui.view.text.gauges import gauges


def noise(value: float, low: float, high: float) -> NoiseScale:
    trace, squared = (value, 1.0) if math.isfinite(value) else (1.0, 0.0)
    return NoiseScale(
        value=value, low=low, high=high, trace=trace, gradient_squared=squared, samples=1984
    )


def sharpness(value: float, error: float = 0.0) -> Sharpness:
    return Sharpness(value=value, error=error, products=12, samples=2000)


NOT_FINITE = NoiseScale(
    value=math.nan, low=math.nan, high=math.nan, trace=math.nan, gradient_squared=math.nan,
    samples=256, batches=64, not_finite=3,
)  # fmt: skip


def begun(generation: int, settings: VariantSettings | None = None) -> Started:
    return Started(
        generation=generation, settings=settings or VariantSettings(), n=2000, model="",
        parameters=11, device="cpu", threads=1, epochs=20, pace=None,
    )  # fmt: skip


def variant(batch_size: BatchSize = 64, **found: object) -> VariantState:
    settings = VariantSettings(batch_size=batch_size)
    made = VariantState(0, Tally("a", settings))
    made.add(begun(1, settings))
    for name, value in found.items():
        made.add(measured(**{name: value}))
    return made


def measured(command: int = 0, edge: float | None = 200.0, **found: object) -> Measured:
    return Measured(
        generation=1, epoch=1, updates=3, samples=192, seconds=0.1, effective_batch=64, lr=0.01,
        edge=edge, cost=0.01, command=command, **found,
    )  # type: ignore[arg-type] # fmt: skip


@pytest.mark.parametrize(
    ("found", "width", "said"),
    [
        ({}, 60, "noise scale –"),
        ({"noise": noise(48.2, 31.1, 74.9)}, 60, "noise scale 48 (31–75) · batch 64"),
        (
            {"noise": noise(48.2, 31.1, 74.9), "sharpness": sharpness(3.14159)},
            60,
            "noise scale 48 (31–75) · batch 64  λ 3.14 · 2/lr 200",
        ),
        (
            {"noise": noise(48.2, 31.1, 74.9), "sharpness": sharpness(3.14159)},
            46,
            "B 48 (31–75) · batch 64  λ 3.14 · 2/lr 200",
        ),
        (
            {"noise": noise(48.2, 31.1, 74.9), "sharpness": sharpness(3.14159)},
            40,
            "B 48 (31–75)  λ 3.1 · 2/lr 200",
        ),
        (
            {"noise": noise(3398, 2526, 4393), "sharpness": sharpness(0.055)},
            36,
            "B 3,398  λ 0.055 · 2/lr 200",
        ),
        ({"noise": noise(3.3, 2.0, 5.5)}, 60, "noise scale 3.3 (2.0–5.5) · batch 64"),
        ({"noise": noise(900, 100, math.inf)}, 60, "noise scale: not reliable yet (over 100)"),
        ({"noise": noise(math.inf, 0, math.inf)}, 60, "noise scale: not reliable yet"),
        (
            {"noise": NOT_FINITE},
            60,
            "noise scale: not finite (3 of 64 gradients)",
        ),
        ({"noise": NOT_FINITE}, 20, "B: not finite"),
        (
            {"sharpness": sharpness(math.nan, math.nan)},
            60,
            "noise scale –  λ not finite · 2/lr 200",
        ),
        ({"sharpness": sharpness(3, error=1)}, 60, "noise scale –  λ not reliable yet · 2/lr 200"),
    ],
)
def test_the_line(found: dict[str, object], width: int, said: str) -> None:
    assert gauges(variant(**found), width).plain == said  # type: ignore[arg-type]


def test_a_sharpness_of_part_of_the_data_says_so_where_there_is_room() -> None:
    part = msgspec.structs.replace(sharpness(3.14159), samples=256)
    assert gauges(variant(sharpness=part), 60).plain == (
        "noise scale –  λ 3.14 (256 samples) · 2/lr 200"
    )
    assert gauges(variant(sharpness=part), 30).plain == "B –  λ 3.14 · 2/lr 200"


def test_noisy_measurements_are_shown_smoothed_and_anew_after_a_restart() -> None:
    one = variant()
    for trace in (40, 60):
        found = msgspec.structs.replace(
            noise(trace, 10, math.inf), batches=32, covariance=(100.0, 0.0, 0.01)
        )
        one.add(measured(noise=found))
    assert gauges(one, 60).plain == "noise scale 51 (36–69) · batch 64"
    one.add(begun(2))
    assert gauges(one, 60).plain == "noise scale –"


def test_the_batch_is_the_one_in_force() -> None:
    assert gauges(variant(FULL, noise=noise(48, 31, 75)), 60).plain.endswith("· batch 2,000")


def test_the_edge_is_that_of_the_lr_in_force() -> None:
    one = variant(sharpness=sharpness(3))
    one.add(changed(VariantSettings(batch_size=64, lr=0.02), 1))
    assert "· 2/lr 100" in gauges(one, 60).plain


def test_an_optimizer_without_such_a_bound_has_none() -> None:
    one = variant()
    one.add(measured(edge=None, sharpness=sharpness(3)))
    assert gauges(one, 60).plain == "noise scale –  λ 3.00"


def test_momentum_moves_the_bound() -> None:
    one = variant()
    one.tally.settings = VariantSettings(momentum=0.9)
    one.add(measured(edge=380.0, sharpness=sharpness(3)))
    assert gauges(one, 60).plain == "noise scale –  λ 3.00 · 3.8/lr 380"


def test_off_is_said() -> None:
    one = variant()
    one.add(MeasuringSet(is_on=False))
    assert gauges(one, 60).plain == "measuring is off (M)"


async def test_the_keys_measure_the_selected_now_and_switch_all(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    app = bench.app()
    async with app.run_test(size=(160, 45)) as pilot:
        app.main.tick()
        await pilot.press("2", "!", "M")
        names = bench.controls.names
        assert list(bench.controls.last(Measure)) == [names[1]]
        assert [(n, c.is_on) for n, c in bench.controls.last(SetMeasuring).items()] == [  # type: ignore[attr-defined]
            (name, False) for name in names
        ]
        await pilot.press("M")  # off is pending: this switches on again
        assert all(c.is_on for c in bench.controls.last(SetMeasuring).values())  # type: ignore[attr-defined]


async def test_a_panel_shows_what_was_measured(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    bench.write(bench.names[1], StateChanged(generation=1, state=State.RUNNING))
    bench.write(bench.names[1], measured(noise=noise(48.2, 31.1, 74.9)))
    app = bench.app()
    async with app.run_test(size=(160, 45)) as pilot:
        app.main.tick(figures=True)
        await pilot.pause()
        shown = app.query("#panel-1 .figures").first().render()
        assert "(31–75)" in str(shown)


def test_the_json_says_what_the_screen_says(tmp_path: Path) -> None:
    bench, one = Bench(tmp_path / "run"), variant()
    for value in (40.0, 80.0):
        close = msgspec.structs.replace(
            noise(value, value / 2, value * 2), batches=32, covariance=(400.0, 0.0, 0.01)
        )
        one.add(measured(noise=close))
    document = report(bench.run, [one.tally]).variants[0]
    average = (0.75 * 40 + 80) / 1.75
    assert document.noise_scale == pytest.approx(average)
    assert document.signal_to_noise == pytest.approx(1 / (average * (1 / 64 - 1 / 2000)))
    assert document.noise_scale_interval is not None
    low, high = document.noise_scale_interval
    assert high is not None
    assert f"noise scale {average:.0f} ({low:.0f}–{high:.0f})" in gauges(one, 60).plain


def test_gradients_that_are_not_finite_are_counted_in_the_json(tmp_path: Path) -> None:
    bench, one = Bench(tmp_path / "run"), variant()
    one.add(measured(noise=NOT_FINITE))
    document = report(bench.run, [one.tally]).variants[0]
    assert document.gradients_not_finite == 3
    assert document.noise_scale is document.noise_scale_interval is None
    assert document.signal_to_noise is document.signal_to_noise_interval is None
