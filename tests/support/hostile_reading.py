"""Reads a run in every way there is, in this process: commands, and all that the screen shows.

A command that takes more than ten seconds of the processor, or waits for ever, fails.
"""

import ast
import asyncio
import contextlib
import io
import signal
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from math import inf
from pathlib import Path
from types import FrameType

from hostile_values import is_obeyed
from shown import ObservedApp, text_of

import gdtui
from engine.log.directory import RunDirectoryError
from engine.settings import Variant
from gdtui.chart.drawing.canvas import paint
from gdtui.chart.drawing.frame import FrameInks
from gdtui.chart.scene.polyline import Axis
from gdtui.cli.commands.runs.watch_run import open_watched
from gdtui.cli.main import main
from gdtui.control.viewer import Viewer
from gdtui.lesson import explain, tables
from gdtui.lesson.code import recipe
from gdtui.state.overlay.opening import OpenedRuns
from gdtui.state.variant import VariantState
from gdtui.view import pictures, trends
from gdtui.view.focus import focused
from gdtui.view.pictures import AxisRanges, ChartSize
from gdtui.view.text import crosshair, results_panel, screen_text
from gdtui.view.text.heading.header import header
from gdtui.view.text.panel import figures
from gdtui.view.text.panel.gauges import gauges
from gdtui.view.text.panel.settings import settings
from gdtui.view.view_state import ViewState

MOST_SECONDS = 10.0
"""Of the processor."""
_MOST_WAIT = 120.0
"""Seconds by the clock: a busy machine is no fault of the code."""


class EndlessError(BaseException):
    """A command that does not end; no handler of errors may take it for one."""


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """Raise EndlessError after so long."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise EndlessError(signal.Signals(number).name)

    handlers = {each: signal.signal(each, stop) for each in (signal.SIGPROF, signal.SIGALRM)}
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, _MOST_WAIT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for each, handler in handlers.items():
            signal.signal(each, handler)


@dataclass(frozen=True)
class Outcome:
    """The end of a command."""

    status: int
    out: str
    errors: str


def command(*words: str) -> Outcome:
    """Run `gdtui` with these words; nothing that it prints may be obeyed by a terminal."""
    out, errors = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("error")
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(errors))
        stack.enter_context(bounded())
        status = main(list(words))
    texts = [each.buffer.getvalue().decode() for each in (out, errors)]  # type: ignore[attr-defined]
    for text in texts:
        check_shown(text)
        assert "Traceback" not in text
    return Outcome(status, *texts)


def read_into_python(path: Path) -> None:
    """Open the run as a notebook would, and work everything out that its logs hold."""
    with bounded(), contextlib.suppress(RunDirectoryError):
        run = gdtui.open_run(path)
        assert {len(column) for column in run.columns().values()} == {
            sum(
                len(each.batches)
                for one in run.variants.values()
                for each in one.generations.values()
            )
        }
        check_shown("\n".join([repr(run), *run.incomplete.values()]))


def check_shown(text: str) -> None:
    """Nothing that a terminal obeys; lines may break, and joiners join."""
    bad = {each for each in set(text) if is_obeyed(each) and each not in "\n\u200c\u200d"}
    assert not bad, (bad, text[:300])


# --- The screen ---------------------------------------------------------------------------------

KEYS = ("x", "x", "y", "w", "e", "escape", "T", "escape", "1", "k", "escape", "z", "V", "escape")
"""Every chart, and every page over them."""


def watch(path: Path) -> None:
    """The app itself on the run, and all that it shows while keys are pressed."""
    with bounded(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(RunDirectoryError):
            opened = open_watched([path], replay=None)
            check_shown("\n".join(asyncio.run(_screens(opened))))


async def _screens(opened: OpenedRuns) -> list[str]:
    app = ObservedApp(opened.shown, None, fps=4, source=opened.source)
    async with app.run_test(size=(140, 40)) as pilot:
        app.main.tick(figures=True)
        await pilot.pause()
        shown = [text_of(app)]
        for key in KEYS:
            await pilot.press(key)
            shown.append(text_of(app))
    assert not app.crash
    return shown


_WIDTH, _HEIGHT = 100, 30
_INKS = FrameInks(axis="#808080", label="#a0a0a0", grid="#404040")


def look(path: Path, *, replay: bool = False, drawn: Axis | None = None) -> str:
    """Every picture and text of a run that is watched or replayed; the texts.

    A refusal is a text, too. Pictures are made on all axes, and drawn on one; or only made, on the
    axis of samples.
    """
    with bounded():
        try:
            opened = open_watched([path], replay=inf if replay else None)
        except RunDirectoryError as error:
            check_shown(str(error))
            return str(error)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # nobody sees them behind the screen
            viewer = Viewer(opened.shown, opened.source, ViewState())
            for _ in range(20):
                viewer.read()
            viewer.heed(viewer.source.notices())
            texts = "\n".join([*pictures_of(viewer, drawn=drawn), *texts_of(viewer)])
    check_shown(texts)
    return texts


def pictures_of(viewer: Viewer, *, drawn: Axis | None) -> Iterator[str]:
    """All charts on all axes, drawn on one of them, or on one if none is drawn; their words."""
    store, size = viewer.store, ChartSize(2 * _WIDTH, _WIDTH, _HEIGHT)
    for axis, log in product(Axis if drawn else (Axis.SAMPLES,), (False, True)):
        view = replace(viewer.view, axis=axis, log=log, raw=log)
        shared = pictures.axis_ranges(store, view, AxisRanges())
        charts = [pictures.overlay(store, view, size, shared)[0]]
        for one in store.states:
            charts.append(pictures.panel(store, one, view, size, shared)[0])
            charts.append(focused(store, one, view, size, AxisRanges())[0])
        charts += [
            trend(store, view, size, AxisRanges(), "none yet")[0]
            for trend in (trends.sharpness, trends.noise)
        ]
        for picture in charts:
            if axis is drawn:
                paint(picture, _WIDTH, _HEIGHT, _INKS, "#000000", [""])
            yield from (picture.title, picture.message, picture.x.title)
            yield from (each.label for each in (*picture.series, *picture.marks))


def texts_of(viewer: Viewer) -> Iterator[str]:
    """All words around the charts, and the pages over them."""
    store, smoothing = viewer.store, viewer.view.smoothing
    yield from store.take_said()
    yield header(store, _WIDTH, viewer.source.now(), viewer.source.role).plain
    for one in store.states:
        yield settings(one, _WIDTH).plain
        yield screen_text.trouble(one)
        yield screen_text.name(one, store, 12, selected=True).plain
        yield screen_text.state_and_device(one, store)[0]
        yield figures.rows(one, store, smoothing, 60, 5).plain
        yield figures.line(one, store, smoothing, selected=False, width=_WIDTH).plain
        yield gauges(one, 60, 2).plain
        viewer.cursor = 5.0
        yield crosshair.line(viewer.under_cursor(one), 80).plain
        yield from pages_of(viewer, one)
    yield from (cell for row in results_panel.rows(store) for cell in row.cells)
    yield results_panel.conclusion(store)
    for selected in (None, *range(len(store.states))):
        for section in explain.explain(store, selected, is_ours=False):
            yield from (section.title, *section.paragraphs)
    yield from (values for _, values in explain.figure_lines(store))
    for row in (*tables.lr_by_batch(store), *tables.trade_offs(store)):
        yield from row.cells


def pages_of(viewer: Viewer, one: VariantState) -> Iterator[str]:
    """The page of code, and the settings form."""
    settings = viewer.shown.origin(one.tally.name).run_settings
    yield recipe.command_line(settings, one.tally.name, one.wanted)
    if one.tally.n:
        variant = Variant(name=one.tally.name, settings=one.wanted)
        loop = recipe.loop(settings, variant, one.tally.n, one.tally.device)
        ast.parse(loop)
        yield loop
