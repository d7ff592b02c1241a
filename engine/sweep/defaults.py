"""The default batch sizes and length of a sweep."""

from typing import Final

from engine.settings import FULL, BatchSize

BATCH_SIZES: Final[tuple[BatchSize, ...]] = (1, 32, 128, 512, FULL)
"""The batch sizes in the lesson's table."""
EPOCHS: Final = 5
