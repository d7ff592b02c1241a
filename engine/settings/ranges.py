"""Ranges of the numbers in a run's files: decoding refuses what lies outside, and NaN.

They are far beyond any use, and within what can be computed with. Losses and measurements have no
range: a training that diverges may come to any number.
"""

import sys
from typing import Annotated, Final

import msgspec

MOST_COUNTED: Final = 10**15
"""Exact as a float, too; so are sums of a few."""
MOST_METRICS: Final = 1_000

Count = Annotated[int, msgspec.Meta(ge=0, le=MOST_COUNTED)]
"""A number of things, none among them."""
Ordinal = Annotated[int, msgspec.Meta(ge=1, le=MOST_COUNTED)]
"""A thing's number, counted from 1; or the number of things of which there is one at least."""
Identifier = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e12)]
"""A duration; or the training time so far."""
Duration = Annotated[float, msgspec.Meta(ge=-1e-6, le=1e12)]
"""A duration that may come out below 0 by rounding."""
Moment = Annotated[float, msgspec.Meta(ge=0, le=250_000_000_000)]
"""Seconds since the Unix epoch: until the year 9892, as dates have four digits."""
Rate = Annotated[float, msgspec.Meta(ge=0)]
"""An lr in force: 0 in a warm-up, infinite where scaling overflows."""
Pace = Annotated[float, msgspec.Meta(gt=0, le=sys.float_info.max)]
"""Epochs per second."""
Metrics = Annotated[dict[str, float], msgspec.Meta(max_length=MOST_METRICS)]
"""Values by the names of their metrics."""
