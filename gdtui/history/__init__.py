"""The losses of one generation, kept completely and drawn at any zoom."""

from gdtui.history.history import BatchInfo, History
from gdtui.history.smoothing import SMOOTHING_LADDER

__all__ = ["SMOOTHING_LADDER", "BatchInfo", "History"]
