"""Samples per batch in buckets of batches: few patterns, which very many buckets share.

In a training without changes, a bucket differs from the others only by where in it an epoch ends.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gdtui.chart.scene.arrays import Bools, Floats, Ints
from gdtui.history.storage.pyramid import BUCKET


@dataclass(frozen=True, slots=True)
class BucketSizes:
    """The sizes of the batches in some buckets."""

    patterns: Floats
    """Each pattern, (32, patterns)."""
    of_bucket: Ints
    """The pattern of each bucket."""

    def without_gaps(self, finite: Bools) -> "BucketSizes":
        """The sizes with 0 for each batch without a finite loss; `finite` is (32, buckets)."""
        gappy = np.flatnonzero(~finite.all(axis=0))
        own = self.patterns[:, self.of_bucket[gappy]] * finite[:, gappy]
        of_bucket = self.of_bucket.copy()
        of_bucket[gappy] = self.patterns.shape[1] + np.arange(len(gappy))
        return BucketSizes(np.concatenate((self.patterns, own), axis=1), of_bucket)


def bucket_sizes(first: int, kinds: Ints, samples: Callable[[Ints], Ints | Floats]) -> BucketSizes:
    """The sizes in consecutive complete buckets, of which `first` is the number of the first.

    Buckets of the same kind have equal sizes. `samples` returns those before batches.
    """
    _, examples, of_bucket = np.unique(kinds, return_index=True, return_inverse=True)
    edges = (first + examples) * BUCKET + np.arange(BUCKET + 1)[:, None]
    before = samples(edges.ravel()).reshape(edges.shape)
    patterns = np.diff(before, axis=0).astype(np.float64)
    if (patterns == patterns[:, :1]).all():
        return BucketSizes(patterns[:, :1], np.zeros_like(of_bucket))
    return BucketSizes(patterns, of_bucket)
