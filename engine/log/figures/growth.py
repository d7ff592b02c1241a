"""The growth of a loss over its training: limits beyond which an end is not a success."""

import math
from typing import Final

DIVERGING: Final = 1_000.0
"""A loss above this many times that at the start is called diverging, while it is still finite."""
WORSE: Final = 2.0
"""A training that ends above this many times its loss at the start is not plainly finished."""


def verdict(growth: float) -> str:
    """A word or two beside "finished": "diverging", "loss 3.1 × its start"; empty if it is sound.

    `growth`: the loss at the end ÷ that at the start; NaN if unknown.
    """
    if math.isnan(growth) or growth <= WORSE:
        return ""
    return "diverging" if growth > DIVERGING else f"loss {growth:.3g} × its start"
