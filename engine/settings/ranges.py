"""Ranges of the numbers in a run's files: decoding refuses numbers outside them, and NaN.

The ranges are far beyond any use, but small enough to compute with. Losses and measurements have no
range, since they can take any value when training diverges.
"""

import sys
from typing import Annotated, Final

import msgspec

MOST_COUNTED: Final = 10**15
"""Largest count. Exact as a float, as are sums of a few of them."""
MOST_METRICS: Final = 1_000

Count = Annotated[int, msgspec.Meta(ge=0, le=MOST_COUNTED)]
"""A number of things, possibly 0."""
Ordinal = Annotated[int, msgspec.Meta(ge=1, le=MOST_COUNTED)]
"""A position counted from 1, or a number of things that is at least 1."""
UpdatesPerCall = Annotated[int, msgspec.Meta(ge=0, le=4096)]
"""Updates in one call of a compiled step; 0 for the eager step."""
Identifier = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
ExitStatus = Annotated[int, msgspec.Meta(ge=-255, le=255)]
"""The exit status of a process; below 0, minus the number of the signal that ended it."""
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e12)]
"""A duration, such as the training time so far."""
Duration = Annotated[float, msgspec.Meta(ge=-1e-6, le=1e12)]
"""A duration that may be slightly negative after rounding."""
Moment = Annotated[float, msgspec.Meta(ge=0, le=250_000_000_000)]
"""Seconds since the Unix epoch, up to the year 9892, since dates have four-digit years."""
Rate = Annotated[float, msgspec.Meta(ge=0)]
"""An lr in force: 0 in a warm-up, infinite if scaling overflows."""
Pace = Annotated[float, msgspec.Meta(gt=0, le=sys.float_info.max)]
"""Epochs per second."""
Metrics = Annotated[dict[str, float], msgspec.Meta(max_length=MOST_METRICS)]
"""Values by metric name."""
VariantName = Annotated[str, msgspec.Meta(max_length=1_000)]
