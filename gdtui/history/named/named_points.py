"""Quantities that have names, such as an accuracy or a gradient norm, over a training run."""

from gdtui.chart.scene.arrays import Floats
from gdtui.history.named.mean_points import MeanPoints


class NamedPoints:
    """The values of each quantity by its name."""

    def __init__(self) -> None:
        self._by_name: dict[str, MeanPoints] = {}

    @property
    def names(self) -> list[str]:
        """The names, in the order in which they first came."""
        return list(self._by_name)

    def values(self, name: str) -> Floats | None:
        """The rows of a quantity, as those of `MeanPoints`; None if it has no values."""
        points = self._by_name.get(name)
        return None if points is None else points.values

    def add(self, name: str, places: Floats, values: Floats) -> None:
        """Add the next values of a quantity. `places`: samples, updates, seconds of each."""
        if len(values):
            self._by_name.setdefault(name, MeanPoints()).add(places, values)

    def until(self, samples: int) -> "NamedPoints":
        """The values up to this number of samples."""
        past = NamedPoints()
        past._by_name = {name: points.until(samples) for name, points in self._by_name.items()}
        return past
