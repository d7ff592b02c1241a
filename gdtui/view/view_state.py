"""The view options of one viewer: a value that keys change and that determines all pictures."""

from dataclasses import dataclass

from gdtui.chart.scene.palette import DARK, is_sparse
from gdtui.chart.scene.polyline import Axis
from gdtui.history.smoothing import SMOOTHING_LADDER
from gdtui.state.variant import SMOOTHING, VariantState
from gdtui.view.x_range import WHOLE, XWindow


@dataclass(frozen=True, slots=True)
class ViewState:
    """The view options of one viewer."""

    axis: Axis = Axis.SAMPLES
    log: bool = False
    colours: tuple[str, ...] = DARK
    """Colours of the variants in the current theme."""
    ink: str = "#d5dde6"
    """Colour of text in that theme."""
    selected: int | None = None
    """The position of the one selected variant; None means all."""
    smoothing: float = SMOOTHING
    """Smoothing of lines and figures: a time constant in epochs, of SMOOTHING_LADDER."""
    raw: bool = False
    """True to draw every batch on the overlay instead of smoothed lines."""
    cleared: tuple[tuple[str, int], ...] = ()
    """Variants whose ghosts are hidden, each with the generation up to which they are."""
    focus: bool = False
    """True to let one chart fill the screen: that of the selected variant, or of all."""
    window: XWindow = WHOLE
    """The x range that all charts show."""

    @property
    def next_smoothing(self) -> float:
        rung = SMOOTHING_LADDER.index(self.smoothing)
        return SMOOTHING_LADDER[(rung + 1) % len(SMOOTHING_LADDER)]

    def number(self, one: VariantState) -> str:
        """The number on the variant's line if colours cannot distinguish it; empty if they can."""
        return str(one.index + 1) if is_sparse(self.colours) else ""

    def shows_ghost(self, one: VariantState) -> bool:
        hidden = dict(self.cleared).get(one.tally.name, 0)
        return one.ghost is not None and one.tally.generation > hidden
