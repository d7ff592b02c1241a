"""Losses on held-out data, which bars go on to show with every redraw."""

from engine.programs.text.names import Meaning, is_held_out, meaning
from engine.programs.text.printed import Printed


class HeldOutLosses:
    """The held-out losses and metrics in what is printed, each of them once."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def take(self, printed: Printed) -> tuple[float, dict[str, float]] | None:
        """The loss and the metrics; None without a loss, and for a bar with the same as before."""
        held = {
            name: value
            for name, value in printed.values.items()
            if meaning(name) is Meaning.HELD_OUT_LOSS or is_held_out(name)
        }
        losses = [value for name, value in held.items() if meaning(name) is Meaning.HELD_OUT_LOSS]
        if not losses or (printed.is_bar and held == self._last):
            return None
        self._last = held
        metrics = {
            name: value
            for name, value in held.items()
            if meaning(name) is not Meaning.HELD_OUT_LOSS
        }
        return losses[0], metrics
