"""The batch sizes and the length of a sweep, where the user names none."""

from typing import Final

from engine.settings import FULL, BatchSize

BATCH_SIZES: Final[tuple[BatchSize, ...]] = (1, 32, 128, 512, FULL)
"""Those of the lesson's table."""
EPOCHS: Final = 5
