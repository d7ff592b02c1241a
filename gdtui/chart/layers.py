"""What was drawn last of each line of one chart, so that of the next frame only what is new is drawn."""

from gdtui.chart.cells import Cells
from gdtui.chart.picture import Picture
from gdtui.chart.raster import Layer, rasterise
from gdtui.trace import Trace


class Layers:
    """The layers of one chart; another size or scale begins anew by itself."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Layer] = {}

    def of(self, key: tuple[str, str], trace: Trace, picture: Picture, cells: Cells) -> Layer:
        """What this trace covers of the cells; `key` names it from frame to frame."""
        before = self._kept.get(key)
        layer = rasterise(trace, picture.x, picture.y, cells.width, cells.height, before)
        self._kept[key] = layer
        return layer
