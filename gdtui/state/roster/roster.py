"""The variants of a run by name, and those on screen, with their numbers and colours."""

from collections.abc import Iterable

from engine.log.summary import Tally
from engine.programs import PROGRAM, UNKNOWN_AT_FIRST
from engine.settings import RunSettings, Variant
from gdtui.chart.scene.palette import COLOURS
from gdtui.state.variant import VariantState


class Roster:
    """Grows as variants are added; removed ones leave the screen, and the others close up."""

    def __init__(self, settings: RunSettings) -> None:
        self._settings = settings
        self.variants: dict[str, VariantState] = {}
        """Every variant by its name, including removed ones."""
        self.states: list[VariantState] = []
        """The variants on screen, in order; another list whenever one comes or goes."""
        for variant in settings.variants:
            self.add(variant)

    def add(self, variant: Variant) -> None:
        """Add a variant that has not begun yet."""
        tally = Tally(variant.name, variant.settings)
        tally.planned_epochs, tally.pace = self._settings.epochs, self._settings.pace
        if self._settings.device == PROGRAM:
            tally.device, tally.assumed = PROGRAM, UNKNOWN_AT_FIRST
        state = VariantState(len(self.variants), tally, named_for=variant.settings)
        state.hue = _free_hue(len(self.variants), (one.hue for one in self.states))
        self.variants[variant.name] = state
        self.number()

    def number(self) -> None:
        """Number the variants that have not been removed, or all if there are no others."""
        every = [*self.variants.values()]
        shown = [one for one in every if not one.tally.is_removed] or every
        if [*map(id, shown)] != [*map(id, self.states)]:
            self.states = shown
            for index, one in enumerate(shown):
                one.index = index


def _free_hue(place: int, taken: Iterable[int]) -> int:
    """The place's own colour; the first free one if a variant on screen has that."""
    used = {*taken}
    free = [hue for hue in range(COLOURS) if hue not in used]
    own = place % COLOURS
    return own if own in free or not free else free[0]
