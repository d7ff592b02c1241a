"""Audit of a loss: compares the loss of some samples with their parts', weighted as in training.

Runs in eval mode, so that neither dropout nor BatchNorm makes a difference; without gradients; and
restores the random state, so that later draws stay the same.
"""

import math
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import torch
from torch import Tensor

from engine.audit.remedy import suggest
from engine.audit.samples import Cut, choose, cutter
from engine.settings import LossAudit, LossKind
from engine.training.averaging.totals import Mean
from engine.training.data.sources import SampleSource
from engine.training.evaluate import eval_mode
from engine.training.model import Objective

_SAMPLES: Final = 16
_FEWEST: Final = 4
_CLEARLY: Final = 10
"""A first pass slower than the limit by this factor needs no second measurement."""
_TOLERANCES: Final = {torch.float64: 1e-9, torch.float32: 1e-4}
"""Relative differences that count as rounding, by dtype."""
_TOLERANCE_16: Final = 0.03
"""The same for 16-bit dtypes."""
_TOLERANCE_GPU: Final = 1e-3
"""The same for float32 on a GPU, whose convolutions may round to 10 bits."""


def audit_loss(
    objective: Objective, source: SampleSource, most_seconds: float = math.inf
) -> LossAudit | None:
    """Compare the loss of 16 samples with that of their parts; None if there are fewer than 4.

    Uses 4 samples if 16 may take longer than `most_seconds`.
    """
    count = min(source.n, _SAMPLES)
    if count < _FEWEST:
        return None
    with eval_mode(objective.model):
        parts = _parts(objective, source, count)
        try:
            if count > _FEWEST and parts.takes_longer(most_seconds):
                parts = _parts(objective, source, _FEWEST)
            return _audit(parts)
        except Exception as error:  # the loss may not be defined for so few samples
            why = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
            return parts.cannot_be_compared(why)


def _parts(objective: Objective, source: SampleSource, count: int) -> "Parts":
    cut = cutter(source, choose(objective.problem.train, source.n, count))
    return Parts(objective, cut, count)


class Parts:
    """A few samples, and the losses of their parts."""

    def __init__(self, objective: Objective, cut: Cut, count: int) -> None:
        self.count = count
        self.quarter = count // 4
        self.objective = objective
        self._cut = cut
        self._draw = 0
        self._coarsest = 0.0
        self._losses: dict[tuple[int, int], tuple[float, Any, float | None]] = {}

    def takes_longer(self, most_seconds: float) -> bool:
        """True if the audit of all these samples may take longer than `most_seconds`."""
        times = []
        for _ in range(2):  # the very first pass may load and start things
            self._losses.clear()
            start = time.perf_counter()
            self.loss(0, self.quarter)
            times.append((time.perf_counter() - start) * 2 * self.count / self.quarter)
            if min(times) <= most_seconds:
                return False
            if min(times) > _CLEARLY * most_seconds:
                return True
        return True

    def cannot_be_compared(self, why: str) -> LossAudit:
        """The result if the losses cannot be compared, with the reason."""
        return LossAudit(kind=LossKind.UNKNOWN, samples=self.count, part=self.quarter, why=why)

    def loss(self, start: int, stop: int) -> float:
        """The problem's loss of these samples alone."""
        return self._computed(start, stop)[0]

    def together(self, *edges: int) -> float:
        """The loss of the samples from the first edge to the last, combined from its parts."""
        mean = Mean(is_sum=self.objective.average.is_sum)
        for start, stop in pairwise(edges):
            loss, _, weight = self._computed(start, stop)
            mean.add(loss, weight, stop - start)
        return mean.value

    def targets(self, *edges: int) -> Iterator[tuple[float, Any]]:
        """Loss and target of each part between these edges."""
        for start, stop in pairwise(edges):
            yield self._computed(start, stop)[:2]

    @property
    def tolerance(self) -> float:
        """The relative difference that counts as rounding for the losses computed so far."""
        return self._coarsest

    def is_repeatable(self) -> bool:
        """True if the loss of all samples is the same when computed again."""
        before = self.loss(0, self.count)
        self._draw += 1
        del self._losses[0, self.count]
        return self.differ(before, self.loss(0, self.count)) <= self.tolerance

    def differ(self, one: float, other: float) -> float:
        """The difference between two losses, relative to the largest loss computed so far."""
        scale = max(abs(loss) for loss, *_ in self._losses.values() if math.isfinite(loss))
        return abs(one - other) / scale if scale else abs(one - other)

    def _computed(self, start: int, stop: int) -> tuple[float, Any, float | None]:
        if (start, stop) not in self._losses:
            output, target = self.objective.outcome(self._cut(start, stop, self._draw))
            loss = self.objective.problem.loss(output, target)
            _, weight = self.objective.weighed(loss, output, target)
            self._coarsest = max(self._coarsest, *map(_tolerance, _tensors((loss, output))))
            known = None if weight is None else float(weight)
            self._losses[start, stop] = float(loss), target, known
        return self._losses[start, stop]


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from _tensors(tuple(value.values()))
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _tensors(each)


def _tolerance(tensor: Tensor) -> float:
    if not tensor.is_floating_point():
        return 0.0
    if tensor.dtype is torch.float32 and tensor.device.type != "cpu":
        return _TOLERANCE_GPU
    return _TOLERANCES.get(tensor.dtype, _TOLERANCE_16)


def _audit(parts: Parts) -> LossAudit:
    edges = 0, parts.quarter, parts.count
    whole, together = parts.loss(0, parts.count), parts.together(*edges)
    if not math.isfinite(whole):
        return parts.cannot_be_compared(f"it is {whole}")
    kind, remedy = LossKind.EXACT, ""
    gap = parts.differ(whole, together) if math.isfinite(together) else None
    if gap is None or gap > parts.tolerance:
        if not parts.is_repeatable():
            return parts.cannot_be_compared("it is random even in eval mode")
        kind = _kind(parts)
        remedy = suggest(kind, parts.targets(*edges), whole, parts.tolerance)
    return LossAudit(kind=kind, gap=gap, samples=parts.count, part=parts.quarter, remedy=remedy)


def _kind(parts: Parts) -> LossKind:
    """The kind of a loss that differs from its parts combined."""
    quarter, half, count = parts.quarter, 2 * parts.quarter, parts.count
    whole = parts.loss(0, count)
    losses = [parts.loss(0, quarter), parts.loss(quarter, half), parts.loss(half, count)]
    if not all(map(math.isfinite, losses)):
        return LossKind.AVERAGE  # one of the parts has nothing to average
    if parts.differ(whole, sum(losses)) <= parts.tolerance:
        return LossKind.SUM
    # If the loss is an average, the shares of parts in the losses of pairs also give their shares
    # in the loss of all. A loss that depends on the batch as a whole has no such shares.
    first = _share(parts.loss(0, half), losses[0], losses[1])
    last = _share(parts.loss(quarter, count), losses[1], losses[2])
    if first is None or last is None:
        return LossKind.BATCH
    weights = [first / (1 - first), 1.0, (1 - last) / last]
    expected = sum(w * loss for w, loss in zip(weights, losses, strict=True)) / sum(weights)
    is_average = parts.differ(whole, expected) <= 20 * parts.tolerance
    return LossKind.AVERAGE if is_average else LossKind.BATCH


def _share(both: float, one: float, other: float) -> float | None:
    """The share of one part in the mean of two; None if `both` is not a mean of them."""
    if one == other:
        return 0.5 if both == one else None
    share = (both - other) / (one - other)
    return share if 0 < share < 1 else None
