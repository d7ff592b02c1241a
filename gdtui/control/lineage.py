"""The effect of the keys that go back: rewind, fork, add and remove variants. No widget.

A point is a number of batches done. Going back to one restores the checkpoint before it and trains
up to there, so that any batch can be returned to.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from engine.log.records import Point
from engine.session.hosted import OrderError
from engine.settings import VariantSettings
from gdtui.chart.scene.polyline import Axis
from gdtui.control.controls import Controls
from gdtui.state.store import Store
from gdtui.state.variant import VariantState

_NO_BATCH: Final = "no batch of the selected variant is at the crosshair"
_WHICH: Final = "select one variant first, by its number: {key} acts on one"

Notes = list[str]
Kept = Callable[[str], Iterable[int]]
"""The batches done at the checkpoints of a variant."""


def nothing_kept(_name: str) -> Iterable[int]:
    """No checkpoints, as of a run without a directory."""
    return ()


class Lineage:
    """Takes variants back to batches, and adds and removes variants."""

    def __init__(self, store: Store, controls: Controls, kept: Kept) -> None:
        self._store = store
        self._controls = controls
        self._kept = kept

    def rewind(self, batches: Mapping[str, int]) -> Notes:
        """Take these variants back to so many batches, to go on with the requested settings."""
        if not batches:
            return [_NO_BATCH]
        settings = {name: self._store.variants[name].wanted for name in batches}
        self._controls.rewind(settings, {name: Point(batches=at) for name, at in batches.items()})
        self._store.forget_notices(batches)
        return [f"rewinding to {in_batches(batches)}; backspace undoes"]

    def fork(self, batches: Mapping[str, int]) -> Notes:
        """Add a variant that begins after so many batches of another one."""
        if len(batches) != 1:
            return [_WHICH.format(key="F") if batches else _NO_BATCH]
        ((name, at),) = batches.items()
        one = self._store.variants[name]
        point = Point(variant=name, generation=one.tally.generation, batches=at)
        try:
            self._controls.fork(one.wanted, point)
        except OrderError as error:
            return [str(error)]
        return [f"forking {name} at {in_batches(batches)}"]

    def add(self, like: VariantState) -> Notes:
        """Add a variant that begins at the initial weights, with the settings of another one."""
        try:
            self._controls.add(like.wanted, like.tally.name)
        except OrderError as error:
            return [str(error)]
        return [f"a new variant begins with the settings of {like.tally.name}"]

    def remove(self, one: VariantState) -> Notes:
        """Remove a variant from the comparison; its log stays."""
        try:
            self._controls.remove([one.tally.name])
        except OrderError as error:
            return [str(error)]
        return [f"{one.tally.name} is removed; its batches stay in the run's logs"]

    # --- Undo -----------------------------------------------------------------------------------

    def go_back(self, settings: Mapping[str, VariantSettings], points: Mapping[str, Point]) -> str:
        """Take variants back to where a key changed them; returns the words for it."""
        self._controls.rewind(settings, points)
        self._store.forget_notices(settings)
        return f"from {in_batches({name: point.batches for name, point in points.items()})}"

    def before_change(self, name: str, made: VariantSettings) -> Point | None:
        """The last batch before a change to these settings; None without a checkpoint of then."""
        one = self._store.variants[name]
        curves = one.current
        if curves is None or one.pending.restarts:
            return None
        for mark in reversed(curves.changes):
            if mark.after == made:
                done = curves.history.batches_until(Axis.SAMPLES, mark.samples)
                return self._point(name, one.tally.generation, done)
        return None

    def end_of(self, name: str, generation: int) -> Point | None:
        """The last batch of an earlier generation; None without a checkpoint of it."""
        batches = self._store.variants[name].generations.batches(generation)
        return self._point(name, generation, batches)

    def _point(self, name: str, generation: int, batches: int) -> Point | None:
        is_kept = batches > 0 and any(0 < kept <= batches for kept in self._kept(name))
        return Point(generation=generation, batches=batches) if is_kept else None


def in_batches(batches: Mapping[str, int]) -> str:
    """Such as "batch 1,204", or "batches 1,204, 310" for variants that are not alike."""
    each = [f"{at:,}" for at in dict.fromkeys(batches.values())]
    return f"batch{'es' * (len(each) > 1)} {', '.join(each)}"
