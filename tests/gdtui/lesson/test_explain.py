"""The explain view: no figure without an entry, and sentences that say what was measured."""

import re
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from app_bench import Bench, evaluation
from made_up import laid
from shown import text_of
from textual.widgets import Static

from engine.log.measurements import NoiseScale, Sharpness
from engine.log.records import Measured
from engine.settings import LossAverage, LrScaling
from gdtui.app import GdtuiApp
from gdtui.lesson import explain, glossary, tables
from gdtui.screens.landscape import described
from gdtui.screens.pages.tables import TablesScreen
from gdtui.state.store import Store
from gdtui.view import trends
from gdtui.view.pictures import AxisRanges, ChartSize
from gdtui.view.text import crosshair, formatting, results_panel
from gdtui.view.text.heading.header import header as header_text
from gdtui.view.text.panel import figures
from gdtui.view.text.panel.gauges import gauges
from gdtui.view.view_state import ViewState

_NO_FIGURES = {
    # states, and words that stand with a figure that has a label of its own
    "starting", "running", "behind", "finished", "device", "cpu", "dev", "batch", "full", "batches",
}  # fmt: skip


def opened(tmp_path: Path, *, validation: bool = False) -> tuple[Bench, GdtuiApp]:
    bench = Bench(tmp_path / "run")
    bench.begin()
    for name in bench.names:
        bench.train(name, [0.8 - i / 250 + 0.01 * (i % 7) for i in range(100)])
        bench.write(name, evaluation(1, loss=0.4))
    return bench, bench.app()


def said(store: Store, title: str, selected: int | None = None) -> str:
    """A section for who trains the run."""
    sections = explain.explain(store, selected, is_ours=True)
    return " ".join(next(each.paragraphs for each in sections if each.title == title))


def labels_of(text: str) -> set[str]:
    """The words of a line of figures: what is left of it without its numbers."""
    without = re.sub(r"[-+−–]?[\d.,]+[kM]?(?:e-?\d+)?|[()·×–∞…:]", " ", text)
    return {word for word in without.split() if word not in _NO_FIGURES}


def test_every_label_leads_to_one_figure_only() -> None:
    labels = [label for each in glossary.FIGURES for label in (each.name, *each.labels)]
    assert len(labels) == len(set(labels))


def test_every_entry_says_what_it_is_in_which_unit_and_by_whom() -> None:
    for each in glossary.FIGURES:
        assert each.definition.endswith((".", "”."))
        assert each.unit
        assert each.source


def measure(bench: Bench, *, covariance: tuple[float, float, float] = (1.0, 0.0, 1e-4)) -> None:
    """Noise scale and sharpness of every variant."""
    noise = NoiseScale(
        value=40,
        low=25,
        high=60,
        trace=40,
        gradient_squared=1,
        samples=1984,
        batches=32,
        covariance=covariance,
    )
    for name in bench.names:
        for found in (
            {"noise": noise},
            {"sharpness": Sharpness(value=3, error=0, products=9, samples=2000)},
        ):
            bench.write(
                name,
                Measured(
                    generation=1, epoch=1, updates=99, samples=990, seconds=1, effective_batch=64,
                    lr=0.01, edge=200.0, cost=0.01, **found,
                ),  # type: ignore[arg-type]
            )  # fmt: skip


async def test_every_figure_of_a_gauge_has_an_entry(tmp_path: Path) -> None:
    bench, app = opened(tmp_path)
    measure(bench)
    async with app.run_test():
        app.main.tick()
        for one in app.main.viewer.store.states:
            for width in (60, 46, 40):
                parts = re.split(r" · |  ", gauges(one, width).plain)
                for label in (re.sub(r"[ (][\d(].*", "", part) for part in parts):
                    assert glossary.find(label), f"{label!r} of {parts}"


async def test_every_figure_of_the_trends_and_of_the_landscape_has_an_entry(tmp_path: Path) -> None:
    bench, app = opened(tmp_path)
    measure(bench)
    async with app.run_test():
        app.main.tick()
        store, canvas = app.main.viewer.store, ChartSize(120, 60, 12)
        pictures = [
            paint(store, ViewState(), canvas, AxisRanges(), "")[0]
            for paint in (trends.sharpness, trends.noise)
        ]
        for picture in pictures:
            name = re.match("[a-z ]+[a-z]", picture.title)
            assert name
            for label in (name[0], picture.faint):
                assert glossary.find(label), label
        loss, plane = described(laid(samples=1, n=2), (0.1, 2.0), True, 158).split(" · ")
        assert glossary.find(plane.split(":")[0]), plane
        assert glossary.find(loss.split()[0]), loss


async def test_what_was_measured_is_woven_in_and_what_was_not_is_said(tmp_path: Path) -> None:
    bench, app = opened(tmp_path)
    async with app.run_test():
        app.main.tick()
        assert "have not been measured yet" in said(
            app.main.viewer.store, "What you see", selected=2
        )
        measure(bench, covariance=(100.0, 0.0, 0.1))
        app.main.tick()
        seen = said(app.main.viewer.store, "What you see", selected=2)
        assert "The noise scale B is not known yet: at least" in seen
        bench.begin(2)
        measure(bench)
        app.main.tick()
        assert "have not been measured yet" in said(
            app.main.viewer.store, "What you see", selected=2
        )


async def test_every_figure_of_a_panel_and_of_a_line_has_an_entry(tmp_path: Path) -> None:
    _, app = opened(tmp_path)
    async with app.run_test(size=(160, 45)):
        app.main.tick(figures=True)
        store = app.main.viewer.store
        for one in store.states:
            shown = figures.rows(one, store, 0.25, 200, 2).plain.replace("all data", "◆")
            for label in labels_of(shown):
                assert glossary.find(label), f"{label!r} of {shown!r}"


def test_every_figure_under_the_crosshair_has_an_entry() -> None:
    for label in crosshair.LABELS:
        assert glossary.find(label), label


async def test_every_column_of_the_tables_has_an_entry(tmp_path: Path) -> None:
    _, app = opened(tmp_path)
    async with app.run_test():
        app.main.tick()
        for name in (*results_panel.headings(app.main.viewer.store), "held-out", "gap", "accuracy"):
            assert glossary.find(name), name
        for name in tables.TRADES:
            assert glossary.find(
                name.removeprefix("gradient ").lower() if "SNR" in name else name
            ), name


async def test_the_figures_of_the_header_have_entries(tmp_path: Path) -> None:
    _, app = opened(tmp_path)
    async with app.run_test():
        app.main.tick()
        header = header_text(app.main.viewer.store, 200, 100.0).plain
        assert re.search(r"epoch +1/20 ─+ · \d\d:\d\d left · 1 epoch/s · \d\d:\d\d", header)
        assert all(glossary.find(name) for name in ("epoch", "left", "epoch/s", "clock"))


async def test_what_is_said_of_all_holds_the_figures_of_all(tmp_path: Path) -> None:
    _, app = opened(tmp_path)
    async with app.run_test():
        app.main.tick()
        whole = " ".join(
            p
            for each in explain.explain(app.main.viewer.store, None, is_ours=True)
            for p in each.paragraphs
        )
        spreads = " / ".join(formatting.number(one.spread) for one in app.main.viewer.store.states)
        assert f"Noise σ of the batch losses: {spreads}" in whole
        assert "0.400 / 0.400 / 0.400, 0 apart" in whole
        assert "press S" in whole
        assert len(re.findall(r"(?<!al)\.(?: |$)", explain.interview(app.main.viewer.store))) == 3


async def test_what_was_measured_at_other_epochs_is_not_told_as_level(tmp_path: Path) -> None:
    bench, app = opened(tmp_path)
    async with app.run_test():
        app.main.tick()
        store = app.main.viewer.store
        for one in store.states:
            one.tally.settings = msgspec.structs.replace(
                one.tally.settings, lr_scaling=LrScaling.LINEAR
            )
        first, *rest = store.states
        bench.write(first.tally.name, msgspec.structs.replace(evaluation(2), full_loss=None))
        for one in rest:
            bench.write(one.tally.name, evaluation(2, loss=0.4))
        app.main.tick()
        assert "apart, as last measured, after 1 / 2 / 2 epochs" in said(store, "What you see")
        assert "folded" not in said(store, "Why")


async def test_folding_is_claimed_only_where_it_was_measured(tmp_path: Path) -> None:
    bench, app = opened(tmp_path)
    async with app.run_test():
        app.main.tick()
        for one, loss in zip(app.main.viewer.store.states, (0.4, 0.4, 0.9), strict=True):
            one.tally.settings = type(one.tally.settings)(
                batch_size=one.tally.settings.batch_size, lr_scaling=LrScaling.LINEAR
            )
            bench.write(one.tally.name, evaluation(2, loss=loss))
        app.main.tick()
        why = said(app.main.viewer.store, "Why")
        assert "they lie 0.500 apart on all data: they have not folded" in why
        for one in app.main.viewer.store.states:
            bench.write(one.tally.name, evaluation(3, loss=0.3))
        app.main.tick()
        assert "the curves have folded into one" in said(app.main.viewer.store, "Why")


@pytest.mark.parametrize("size", [(160, 45), (80, 24)])
async def test_the_view_in_focus_is_explained_over_the_app(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    _, app = opened(tmp_path)
    async with app.run_test(size=size) as pilot:
        app.main.tick()
        await pilot.press("1", "e")
        await pilot.pause()
        assert "Its gradient is that of all data" in " ".join(
            re.sub("[│\n]", " ", text_of(app)).split()
        )
        await pilot.press("e")
        await pilot.pause()
        await pilot.press("0", "e")
        await pilot.pause()
        assert "train at the same time" in " ".join(re.sub("[│\n]", " ", text_of(app)).split())


async def test_the_tables_mark_the_variants_and_scale_from_the_base_in_force(
    tmp_path: Path,
) -> None:
    _, app = opened(tmp_path)
    async with app.run_test(size=(160, 45)) as pilot:
        app.main.tick()
        await pilot.press("T")
        await pilot.pause()
        lines = text_of(app).splitlines()
        [row] = [line for line in lines if re.search(r" 512 ", line)]
        assert row.split("512")[1].split()[:3] == ["0.01", "0.08", "0.0283"]
        row = next(line for line in lines if re.search(r"  64 .*Mini-batch", line))
        assert row.split("64")[1].split()[:3] == ["0.01", "0.01", "0.01"]
        assert "very noisy" in text_of(app)


async def test_the_tables_fit_the_narrowest_screen_that_has_all(tmp_path: Path) -> None:
    _, app = opened(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        app.main.tick()
        await pilot.press("T")
        await pilot.pause()
        page = app.screen
        assert isinstance(page, TablesScreen)
        room = page.query_one(Static).content_size.width
        assert max(line.cell_length for line in page.content().split("\n")) <= room
        for one in app.main.viewer.store.states:
            assert page.content().plain.count(one.tally.name) == 3


async def test_each_figure_is_told_of_every_variant_of_many(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run", sizes="full,64,32,8,1")
    bench.begin()
    for name in bench.names:
        bench.write(name, evaluation(1, loss=0.4))
    app = bench.app()
    async with app.run_test():
        app.main.tick()
        told = {
            figure.name: values for figure, values in explain.figure_lines(app.main.viewer.store)
        }
        assert told["all data"] == "0.400 / 0.400 / 0.400 / 0.400 / 0.400"


@pytest.mark.parametrize("is_measured", [False, True])
async def test_who_only_watches_is_told_of_no_key_that_would_control(
    tmp_path: Path, is_measured: bool
) -> None:
    bench, app = opened(tmp_path)
    if is_measured:
        measure(bench, covariance=(100.0, 0.0, 0.1))
    async with app.run_test():
        app.main.tick()
        store = app.main.viewer.store
        for selected in (None, 0, 2):
            sections = explain.explain(store, selected, is_ours=False)
            theirs = " ".join(paragraph for each in sections for paragraph in each.paragraphs)
            ours = explain.explain(store, selected, is_ours=True)
            assert re.search(r"(press S|! )", str(ours))
            assert not re.search(r"\b(press|S puts|S restarts)\b|! ", theirs)


async def test_what_was_said_of_the_problem_is_explained(tmp_path: Path) -> None:
    _, app = opened(tmp_path)
    async with app.run_test():
        store = app.main.viewer.store
        store.settings = msgspec.structs.replace(
            store.settings, notes=("t.csv: column 'id' left out",)
        )
        told = {each.title: each.paragraphs for each in explain.explain(store, None, is_ours=True)}
        assert told["About this problem"] == ("t.csv: column 'id' left out",)


@pytest.mark.parametrize(
    ("average", "words"),
    [
        (LossAverage(over="samples"), "a mean over samples"),
        (LossAverage(over="targets other than -100", weight="…"), "targets other than -100, not"),
        (LossAverage(over="", is_sum=True), "a sum over samples"),
        (None, ""),
    ],
)
async def test_the_quantity_that_the_loss_is_averaged_over_is_explained(
    tmp_path: Path, average: LossAverage | None, words: str
) -> None:
    _, app = opened(tmp_path)
    async with app.run_test():
        store = app.main.viewer.store
        for one in store.states:
            one.tally.average = average
        titles = [each.title for each in explain.explain(store, None, is_ours=True)]
        assert ("About this problem" in titles) is bool(words)
        assert not words or words in said(store, "About this problem")


def test_ms_a_batch_is_the_recent_figure_that_the_panel_shows() -> None:
    one = SimpleNamespace(batch_milliseconds=2.0, tally=SimpleNamespace(batch_milliseconds=5.0))
    entry = glossary.find("ms/batch")
    assert entry is not None
    assert entry.value(one) == formatting.number(2.0)
