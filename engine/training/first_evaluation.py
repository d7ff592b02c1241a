"""The evaluation before the first update, on a part of the data if all would take too long."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.training.data.sources import EvaluatedData, LaidOutTensors, Samples, SampleSource
from engine.training.evaluate import Scores
from engine.training.model import Objective

_SIZES: Final = (32, 128, 512, 2048)
"""Samples of the parts to try, each of which contains the one before."""
_SEED: Final = 0x66697273  # "firs": makes the choice of samples independent of all others


@dataclass(frozen=True, slots=True)
class PartialScores:
    """The scores of a part of a data set, or of all of it."""

    scores: Scores
    samples: int
    is_whole: bool
    seconds: float
    """Time that all samples take, measured or estimated."""


class DataPart:
    """Some samples of a data set, to be evaluated as if they were all."""

    def __init__(self, source: SampleSource, samples: NDArray[np.int64]) -> None:
        self._source = source
        self._samples = samples
        self.n = len(samples)

    def pick(self, indices: NDArray[np.int64]) -> Samples:
        """These of its samples."""
        return self._source.pick(self._samples[indices])

    def sweep(self, piece: int) -> Iterator[tuple[Samples, int]]:
        """All of its samples in pieces, each with its size."""
        for start in range(0, self.n, piece):
            part = self._samples[start : start + piece]
            yield self._source.pick(part), len(part)


def evaluate_within(
    seconds: float,
    objective: Objective,
    source: SampleSource,
    score: Callable[[EvaluatedData], Scores],
) -> PartialScores:
    """Evaluate all samples if that takes about `seconds` at most, or else a random part of them.

    `score` evaluates a data set or a part of one. The loss of a part estimates that of all: if it
    is a sum, it is scaled up.
    """
    n = source.n
    chosen = np.random.default_rng(_SEED).permutation(n)[: _SIZES[-1]]
    watch = _watch(objective, source)
    for count, larger in zip(_SIZES, (*_SIZES[1:], n), strict=True):
        if count >= n:
            break
        part = DataPart(source, chosen[:count])
        # The first call of a small model takes far longer than the next.
        took, scores = min(
            (_timed(watch, part, score) for _ in range(1 + (count == _SIZES[0]))),
            key=lambda each: each[0],
        )
        if took * min(larger, n) / count > seconds:
            if objective.average.is_sum:
                scores = Scores(loss=scores.loss * n / count, metrics=scores.metrics)
            return PartialScores(scores, count, is_whole=False, seconds=took * n / count)
    took, scores = _timed(watch, source, score)
    return PartialScores(scores, n, is_whole=True, seconds=took)


def _timed(
    watch: Callable[[], float],
    data: EvaluatedData,
    score: Callable[[EvaluatedData], Scores],
) -> tuple[float, Scores]:
    start = watch()
    scores = score(data)
    return watch() - start, scores


def _watch(objective: Objective, source: SampleSource) -> Callable[[], float]:
    """A clock that other programs do not disturb, if nothing is waited for but the processor."""
    if objective.device.type == "cpu" and isinstance(source, LaidOutTensors):
        return time.process_time
    return time.perf_counter
