"""The checkpoints of a variant as their file names describe them, which takes no torch."""

import contextlib
import re
from pathlib import Path

from engine.log.format import CHECKPOINT_SUFFIX, CHECKPOINTS


def kept_batches(log: Path) -> list[int]:
    """The batches done at each checkpoint of the variant with this log, in no order."""
    stem, suffix = re.escape(log.stem), re.escape(CHECKPOINT_SUFFIX)
    name = re.compile(rf"{stem}\.[0-9]+-([0-9]{{1,15}}){suffix}")
    with contextlib.suppress(OSError):  # none has been written yet
        names = [path.name for path in (log.parent / CHECKPOINTS).iterdir()]
        return [int(match[1]) for each in names if (match := name.fullmatch(each))]
    return []
