"""The steps of lines that print none, told by a bar without a loss."""

from engine.programs.text.printed import Printed


class BarSteps:
    """The bar that counts the steps of a program whose losses are in lines."""

    def __init__(self) -> None:
        self._bar: Printed | None = None
        """The last bar without a loss."""
        self._chosen: tuple[str, int | None] | None = None
        """The bar that told the step of the last line, by its label and total."""
        self._last = -1

    @property
    def is_drawn(self) -> bool:
        """True once there is such a bar."""
        return self._bar is not None

    def add(self, bar: Printed) -> bool:
        """Take in a redraw; True if it is of the bar that tells the steps, as far as is known."""
        if self._chosen not in (None, (bar.label, bar.total)):
            return False
        self._bar = bar
        return True

    def next(self) -> tuple[int | None, int | None]:
        """Its step and total, if it has moved since the last loss."""
        bar = self._bar
        if bar is None or bar.step is None:
            return None, None
        key = bar.label, bar.total
        if key != self._chosen and bar.step == bar.total:
            return None, None  # it had ended before the first loss
        if key == self._chosen and bar.step == self._last:
            self._chosen = None
            return None, None
        self._chosen, self._last = key, bar.step
        return bar.step, bar.total
