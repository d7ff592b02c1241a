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
from gdtui.view.text.panel.gauges import gauges
from gdtui.view.text.styled import StyledText


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


FOUND = {"noise": noise(48.2, 31.1, 74.9)}
SMALL = {"noise": noise(3.3, 2.0, 5.5)}
LARGE = {"noise": noise(3398, 2526, 4393)}


def curvature(one: VariantState, width: int) -> StyledText:
    """The second of two rows."""
    return gauges(one, width, 2).split("\n")[1]


@pytest.mark.parametrize(
    ("found", "width", "said"),
    [
        ({}, 60, "noise scale not measured yet"),
        ({}, 20, "noise scale –"),
        (FOUND, 100, "batch 64 is about the noise scale (48, 95%: 31–75): a good size"),
        (FOUND, 60, "batch 64 is about the noise scale (48): a good size"),
        (FOUND, 49, "batch 64, noise scale 48: a good size"),
        (FOUND, 30, "noise scale 48: a good size"),
        (FOUND, 20, "noise scale 48"),
        (SMALL, 62, "batch 64 is 19× the noise scale (3.3): diminishing returns"),
        (SMALL, 49, "batch 64, noise scale 3.3: diminishing returns"),
        (SMALL, 36, "noise scale 3.3: repeats itself"),
        (LARGE, 62, "batch 64 is 1/53 of the noise scale (3,398): mostly noise"),
        (LARGE, 49, "batch 64, noise scale 3,398: mostly noise"),
        ({"noise": noise(900, 100, math.inf)}, 60, "noise scale not reliable yet (over 100)"),
        ({"noise": noise(math.inf, 0, math.inf)}, 60, "noise scale not reliable yet"),
        ({"noise": NOT_FINITE}, 60, "noise scale not finite (3 of 64 gradients)"),
        ({"noise": NOT_FINITE}, 30, "noise scale not finite"),
    ],
)
def test_the_batch_is_compared_with_the_noise_scale(
    found: dict[str, object], width: int, said: str
) -> None:
    assert gauges(variant(**found), width, 2).plain == f"{said}\n"


@pytest.mark.parametrize(
    ("found", "width", "said"),
    [
        (sharpness(3.14159), 100, "curvature 3.14, limit 200 (2/lr)  ━───────┃──"),
        (sharpness(3.14159), 49, "curvature 3.14, limit 200  ━───────┃──"),
        (sharpness(0.055), 36, "curvature 0.0550, limit 200"),
        (sharpness(0.055), 24, "curvature 0.055 of 200"),
        (sharpness(150), 49, "curvature 150, limit 200  ━━━━━━──┃──"),
        (sharpness(260), 49, "curvature 260, above the limit 200  ━━━━━━━━┃━━"),
        (sharpness(260), 24, "curvature 260 > 200"),
        (sharpness(math.nan, math.nan), 49, "curvature not finite"),
        (sharpness(3, error=1), 49, "curvature not reliable yet"),
    ],
)
def test_the_curvature_is_compared_with_what_the_lr_allows(
    found: Sharpness, width: int, said: str
) -> None:
    assert curvature(variant(sharpness=found), width).plain == said


@pytest.mark.parametrize(("value", "style"), [(3, "$success"), (150, "$warning"), (260, "$error")])
def test_the_gauge_turns_red_beyond_the_edge(value: float, style: str) -> None:
    said = curvature(variant(sharpness=sharpness(value)), 60)
    assert {each for text, each in said.parts if "━" in text} == {style}


@pytest.mark.parametrize(
    ("found", "width", "said"),
    [
        (
            FOUND | {"sharpness": sharpness(3)},
            49,
            "noise scale 48: a good size  curvature 3.0 of 200",
        ),
        (FOUND | {"sharpness": sharpness(3)}, 36, "noise scale 48: a good size"),
        (FOUND | {"sharpness": sharpness(260)}, 36, "noise scale 48  curvature 260 > 200"),
        (FOUND | {"sharpness": sharpness(260)}, 30, "curvature 260 > 200"),
    ],
)
def test_in_one_row_what_matters_most(found: dict[str, object], width: int, said: str) -> None:
    assert gauges(variant(**found), width).plain == said


def test_a_sharpness_of_part_of_the_data_says_so_where_there_is_room() -> None:
    part = msgspec.structs.replace(sharpness(3.14159), samples=256)
    assert curvature(variant(sharpness=part), 100).plain.startswith(
        "curvature ≈ 3.14 (256 samples), limit 200 (2/lr) "
    )
    assert curvature(variant(sharpness=part), 49).plain.startswith("curvature ≈ 3.14, limit 200 ")


def test_noisy_measurements_are_shown_smoothed_and_anew_after_a_restart() -> None:
    one = variant()
    for trace in (40, 60):
        found = msgspec.structs.replace(
            noise(trace, 10, math.inf), batches=32, covariance=(100.0, 0.0, 0.01)
        )
        one.add(measured(noise=found))
    assert "the noise scale (51, 95%: 36–69)" in gauges(one, 90).plain
    one.add(begun(2))
    assert gauges(one, 90).plain == "noise scale not measured yet"


def test_the_batch_is_the_one_in_force() -> None:
    assert gauges(variant(FULL, noise=noise(48, 31, 75)), 60).plain.startswith("batch 2,000 ")


def test_the_edge_is_that_of_the_lr_in_force() -> None:
    one = variant(sharpness=sharpness(3))
    one.add(changed(VariantSettings(batch_size=64, lr=0.02), 1))
    assert ", limit 100 (2/lr)" in curvature(one, 90).plain


def test_an_optimizer_without_such_a_bound_has_none() -> None:
    one = variant()
    one.add(measured(edge=None, sharpness=sharpness(3)))
    assert curvature(one, 60).plain == "curvature 3.00"


def test_momentum_moves_the_bound() -> None:
    one = variant()
    one.tally.settings = VariantSettings(momentum=0.9)
    one.add(measured(edge=380.0, sharpness=sharpness(3)))
    assert ", limit 380 (3.8/lr)" in curvature(one, 90).plain


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
        assert "batch 64, noise scale 48: a good size" in str(shown)


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
    assert f"noise scale ({average:.0f}, 95%: {low:.0f}–{high:.0f})" in gauges(one, 90).plain


def test_gradients_that_are_not_finite_are_counted_in_the_json(tmp_path: Path) -> None:
    bench, one = Bench(tmp_path / "run"), variant()
    one.add(measured(noise=NOT_FINITE))
    document = report(bench.run, [one.tally]).variants[0]
    assert document.gradients_not_finite == 3
    assert document.noise_scale is document.noise_scale_interval is None
    assert document.signal_to_noise is document.signal_to_noise_interval is None
