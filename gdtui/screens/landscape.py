"""The landscape: the loss on a plane through the weights, with the trajectories growing on it.

Shows the findings of a surveyor, which runs in a separate process; keeps this viewer's window.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen

from engine.landscape.client import Surveyor
from engine.landscape.plane import Window
from engine.landscape.protocol import (
    AnySurveyMessage,
    LossRow,
    SurveyFailed,
    SurveyRequest,
    SurveyStarted,
    Trajectories,
)
from gdtui.chart.scene.palette import COLOURS, is_sparse
from gdtui.screens.pass_through import PassThroughScreen
from gdtui.state.overlay.shown_runs import ShownRuns, ShownVariant
from gdtui.theme import colours, ink
from gdtui.view.terrain import HIGHEST, Terrain, TerrainInks, cell_of, image, relief
from gdtui.view.text.formatting import number
from gdtui.widgets.line import Line
from gdtui.widgets.map import Map

_ZOOM: Final = 0.7
_PAN: Final = 0.2
_PADDING: Final = 2
_KEYS: Final = "+ - zoom   ← → ↑ ↓ pan   home whole map   esc close"


def _bottom(names: Mapping[int, str], high: tuple[str, str], width: int) -> Content:
    """The keys and, on the right and as space allows, a legend of high loss and of the paths.

    `high`: what is drawn where the loss is highest, and its colour.
    """
    keys = Content.styled(_KEYS, "$quiet")
    start = Content.assemble(high, " high loss  ○ start")
    told = [
        Content.styled(f"{place + 1} {name}", f"bold $variant-{place % COLOURS + 1}")
        for place, name in names.items()
    ]
    for legend in (Content("  ").join([start, *told]), start):
        gap = width - keys.cell_length - legend.cell_length
        if gap > 1:
            return keys + Content(" " * gap) + legend
    return keys


def _surveyor_of(variants: Sequence[ShownVariant]) -> Surveyor:
    run, *others = dict.fromkeys(one.run for one in variants)
    return Surveyor(run, others)


def described(
    laid: SurveyStarted, extremes: tuple[float, float], is_complete: bool, width: int
) -> str:
    """The title of the map, as much of it as fits."""
    for brevity in (False, True):
        parts = [
            _loss(laid, extremes, brevity),
            _plane(laid, brevity),
            *_remembered(laid, brevity),
            *([] if is_complete else ["surveying…"]),
        ]
        said = " · ".join(parts)
        if len(said) <= width:
            break
    return said


def _plane(laid: SurveyStarted, brevity: bool) -> str:
    if laid.is_exact:
        return "both parameters" if brevity else "both parameters: all there is"
    share = f"{laid.explained:.1%}"
    if brevity:
        return f"{share} of the paths' variance"
    return f"principal plane of the paths: {share} of their variance"


def _loss(laid: SurveyStarted, extremes: tuple[float, float], brevity: bool) -> str:
    low, high = map(number, extremes)
    over = "all data" if laid.samples == laid.n else f"{laid.samples:,} of {laid.n:,} samples"
    return f"loss {low}–{high}" if brevity else f"loss {low}–{high} on {over}"


def _remembered(laid: SurveyStarted, brevity: bool) -> list[str]:
    """How the model's statistics of the data were treated, if it has any."""
    said = []
    if laid.normalises:
        said.append(
            "BatchNorm anew" if brevity else "BatchNorm statistics re-estimated at each point"
        )
    if laid.remembers_more:
        said.append("buffers of the start" if brevity else "other buffers as at the start")
    return said


class LandscapeScreen(PassThroughScreen):
    """The map, a title and a line of keys over the main screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,v", "dismiss", "Close", show=False),
        Binding("plus,equals_sign", "zoom(1)", "Zoom in", show=False),
        Binding("minus", "zoom(-1)", "Zoom out", show=False),
        Binding("left", "pan(-1,0)", "Pan left", show=False),
        Binding("right", "pan(1,0)", "Pan right", show=False),
        Binding("up", "pan(0,1)", "Pan up", show=False),
        Binding("down", "pan(0,-1)", "Pan down", show=False),
        Binding("home", "whole", "All", show=False),
    ]

    def __init__(
        self,
        main: Screen[None],
        shown: ShownRuns,
        at: int = 0,
        surveyor: Surveyor | None = None,
    ) -> None:
        """The runs that share the start of the variant at this place, so one plane holds them.

        `surveyor` None makes one that ends with the screen.
        """
        super().__init__(main)
        self._shown = shown
        alike = shown.alike(shown.variants[at].name)
        self._variants = [one for one in alike if one.run.path.is_dir()] or alike
        self._surveyor = surveyor or _surveyor_of(self._variants)
        self._asked = 0
        self._wish: Window | None = None
        self._laid: SurveyStarted | None = None
        self._terrain: Terrain | None = None
        self.paths: list[NDArray[np.float32]] = []
        """The trajectories on the plane, by the variants' places on screen; some may be empty."""
        self._failure = ""

    def compose(self) -> ComposeResult:
        yield Line(id="landscape-title")
        yield Map()
        yield Line(id="landscape-keys")

    def on_mount(self) -> None:
        self._title("surveying…")
        self.call_after_refresh(self._ask)
        self.set_interval(0.1, self.look)

    def on_unmount(self) -> None:
        self._surveyor.close()

    def on_resize(self, event: events.Resize) -> None:
        names = {self._shown.variants.index(one): one.name for one in self._variants}
        high = (HIGHEST, "$quiet") if self._is_sparse else ("▇", "$map-high")
        self.query_one("#landscape-keys", Line).show(
            _bottom(names, high, event.size.width - _PADDING)
        )
        if self._asked:
            self.call_after_refresh(self._ask)

    # --- Where to look --------------------------------------------------------------------------

    def _ask(self) -> None:
        size = self.query_one(Map).size
        if size.width < 2 or size.height < 1:
            return
        self._asked += 1
        self._surveyor.request(
            SurveyRequest(
                id=self._asked, window=self._wish, columns=size.width, rows=size.height * 2
            )
        )

    def _move(self, window: Window) -> None:
        """Show this window: the paths at once, the loss as it comes."""
        self._wish = window
        self._terrain = Terrain(window)
        self._ask()
        self.draw()

    def action_zoom(self, steps: int) -> None:
        if self._terrain is not None:
            self._move(self._terrain.window.zoomed(_ZOOM**steps))

    def action_pan(self, across: int, up: int) -> None:
        if self._terrain is not None:
            self._move(self._terrain.window.panned(across * _PAN, up * _PAN))

    def action_whole(self) -> None:
        """Show all trajectories, on a plane that follows them."""
        self._wish = None
        self._ask()

    # --- What is seen ---------------------------------------------------------------------------

    def look(self) -> None:
        """Take the surveyor's new findings, and show them."""
        found = self._surveyor.poll()
        for each in found:
            self._heed(each)
        if found:
            self.draw()

    def _heed(self, found: AnySurveyMessage) -> None:
        match found:
            case SurveyStarted() if found.id == self._asked:
                self._laid, self._terrain, self._failure = found, Terrain(found.window), ""
            case LossRow() if self._terrain is not None and self._is_current:
                self._terrain.put(found.row, found.rows, np.frombuffer(found.losses, "<f4"))
            case Trajectories():
                self.paths = [np.empty((0, 2), np.float32) for _ in self._shown.variants]
                for one, points in zip(self._variants, found.points, strict=True):
                    place = self._shown.variants.index(one)
                    self.paths[place] = np.frombuffer(points, "<f4").reshape(-1, 2)
            case SurveyFailed():
                self._failure = found.detail
            case _:
                pass

    @property
    def _is_current(self) -> bool:
        """True when the known map is the one requested last."""
        return self._laid is not None and self._laid.id == self._asked

    @property
    def is_surveyed(self) -> bool:
        """True when everything requested is known, as finely as it can be shown."""
        return self._is_current and self._terrain is not None and self._terrain.is_complete

    @property
    def is_surveying(self) -> bool:
        """True while findings that were requested are still to come."""
        return self._asked > 0 and not self._failure and not self.is_surveyed

    def draw(self) -> None:
        """Show map and title, as far as they are known."""
        if self._failure:
            self._title(self._failure, "$error")
        if self._terrain is None:
            return
        canvas = self.query_one(Map)
        columns, rows = canvas.size.width, canvas.size.height * 2
        theme = self.app.current_theme
        marks = self._marks(columns, canvas.size.height)
        if self._is_sparse:
            canvas.show_relief(
                relief(self._terrain, columns, canvas.size.height, self.paths),
                theme.variables["quiet"],
                marks,
            )
        else:
            inks = TerrainInks(
                low=theme.variables["map-low"],
                high=theme.variables["map-high"],
                contour=ink(theme),
                variants=colours(theme),
            )
            ground = theme.background or "#000000"
            canvas.show(image(self._terrain, columns, rows, inks, ground, self.paths), marks)
        if not self._failure:
            self._title(self._described(canvas.size.width))

    @property
    def _is_sparse(self) -> bool:
        """True when there are too few colours for a map of shades."""
        return is_sparse(colours(self.app.current_theme))

    def _marks(self, columns: int, rows: int) -> dict[tuple[int, int], tuple[str, str]]:
        """○ where training began, the variant's number where it is."""
        assert self._terrain is not None
        marks: dict[tuple[int, int], tuple[str, str]] = {}
        variants = colours(self.app.current_theme)
        starts = [(path[:1], "○", ink(self.app.current_theme)) for path in self.paths]
        ends = [
            (path[-1:], str(index + 1)[-1], variants[index % len(variants)])
            for index, path in enumerate(self.paths)
        ]
        for point, character, colour in starts + ends:
            if len(point):
                column, row = cell_of(point[0], self._terrain.window, columns, rows)
                if 0 <= column < columns and 0 <= row < rows:
                    marks[int(row), int(column)] = character, colour
        return marks

    def _described(self, width: int) -> str:
        if self._laid is None or self._terrain is None:
            return "surveying…"
        return described(self._laid, self._terrain.extremes, self.is_surveyed, width - _PADDING)

    def _title(self, text: str, style: str = "") -> None:
        self.query_one("#landscape-title", Line).show(Content.styled(text, style))
