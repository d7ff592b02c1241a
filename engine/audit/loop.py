"""Audit of a training loop: compares k batches of b samples with one of k·b, at the same weights.

The loop is passed as a function, which receives batches, a model and an optimiser as usual. Its
gradients, lrs and losses show which of the known mistakes it makes.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from engine.audit.groups import Group, only
from engine.audit.mistakes import Mistake
from engine.audit.recording import Recording, TrainStep, record
from engine.problem import ProblemError, check_data, count, is_tensors
from engine.training.data.collating import Collate, batch_of, sample_of

_GROUPS: Final = 2
"""Full groups that are examined: two, since some mistakes in a group only show in the next."""
_UPDATES: Final = 3
"""Updates needed to see that an lr schedule advances too fast."""
_ROUNDING: Final = 1e-3
_ABOUT: Final = 0.25
"""Tolerance for a ratio of losses: different batches differ, but less than by a factor of two."""


@dataclass(frozen=True, slots=True)
class LoopAudit:
    """The result of `audit`; print it to read the findings in words."""

    batch: int
    """Samples per batch."""
    accumulation: int
    """Batches per update."""
    mistakes: tuple[Mistake, ...]
    """The mistakes that show on these data."""
    latent: tuple[Mistake, ...]
    """Mistakes that would show if the last batch or the last group of the data were short."""
    gap: float
    """The largest relative difference between an update and the update from one large batch."""

    @property
    def is_right(self) -> bool:
        """True if no mistake shows on these data."""
        return not self.mistakes

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        cut = f"{self.accumulation} × {self.batch} samples"
        large = f"one batch of {self.accumulation * self.batch}"
        verdict = "right" if self.is_right else "wrong"
        if self.gap < _ROUNDING:
            same = f"updates from {cut} equal those from {large}"
            yield f"{verdict}: {same} (difference {self.gap:.1e})"
        else:
            far = "" if math.isnan(self.gap) else f" by up to {self.gap:.2%}"
            yield f"{verdict}: updates from {cut} differ{far} from those from {large}"
        for mistake in self.mistakes:
            yield f"- {mistake}: {mistake.advice}"
        for mistake in self.latent:
            yield f"- with a short last batch or group, {mistake}: {mistake.advice}"


def audit(
    train: TrainStep,
    model: nn.Module,
    data: Any,
    batch: int = 8,
    accumulation: int = 8,
    *,
    collate: Collate | None = None,
) -> LoopAudit:
    """Compare a training loop's update from `accumulation` batches with one from a large batch.

    `train(model, optimizer, batches, accumulation)` is the loop over one epoch: `batches` can be
    iterated over and has a length, like a DataLoader. It should return the losses that it logs, one
    for each batch or update; if it returns None, the losses are not checked. If the loop uses an lr
    schedule, it must build it on the optimiser it receives. `data` are tensors, the target last, or
    a Dataset: see `Problem.train` and, for `collate`, `Problem.collate`. The model is copied and
    not changed.

    Raises ProblemError for data with fewer than batch × accumulation samples.
    """
    if accumulation < 2 or batch < 1:
        raise ProblemError("audit: accumulation must be at least 2 and batch at least 1")
    loop = _Loop(train, model, _Cutter(data, collate), batch, accumulation)
    shown = loop.shown()
    latent = [each for each in loop.latent() if each not in shown]
    return LoopAudit(
        batch=batch,
        accumulation=accumulation,
        mistakes=_sorted(shown),
        latent=_sorted(latent),
        gap=loop.gap,
    )


def _sorted(mistakes: Sequence[Mistake]) -> tuple[Mistake, ...]:
    return tuple(mistake for mistake in Mistake if mistake in mistakes)


class _Cutter:
    """Cuts the data, in a random order, into batches."""

    def __init__(self, data: Any, collate: Collate | None) -> None:
        check_data("data", data)
        self._data = data.tensors if type(data) is TensorDataset else data
        self._collate = collate
        self.n = count("data", self._data)
        self._order = np.random.default_rng(0).permutation(self.n).tolist()

    def batch(self, start: int, stop: int) -> Any:
        rows = self._order[start:stop]
        if isinstance(self._data, Mapping) and self._collate is None:
            return {name: torch.as_tensor(each)[rows] for name, each in self._data.items()}
        if is_tensors(self._data) and self._collate is None:
            return tuple(torch.as_tensor(each)[rows] for each in self._data)
        return batch_of([sample_of(self._data, row) for row in rows], self._collate)

    def batches(self, start: int, stop: int, size: int) -> list[Any]:
        return [self.batch(at, min(at + size, stop)) for at in range(start, stop, size)]


class _Loop:
    """Runs the loop on batches and finds the mistakes that it makes."""

    def __init__(
        self, train: TrainStep, model: nn.Module, cutter: _Cutter, batch: int, steps: int
    ) -> None:
        self._train = train
        self._model = model
        self._cutter = cutter
        self._batch = batch
        self._steps = steps
        self._large = batch * steps
        self.gap = 0.0
        if cutter.n < self._large:
            raise ProblemError(
                f"audit: {cutter.n:,} samples are too few for {steps} batches of {batch}"
            )

    def _record(self, batches: list[Any], steps: int) -> Recording:
        return record(self._train, self._model, batches, steps)

    def _small(self, start: int, stop: int) -> list[Any]:
        return self._cutter.batches(start, stop, self._batch)

    def shown(self) -> list[Mistake]:
        """The mistakes that show on some full groups and on the samples after the last of these."""
        full = min(_GROUPS, self._cutter.n // self._large)
        end = full * self._large + self._cutter.n % self._large
        small = self._record(self._small(0, end), self._steps)
        found, self.gap = self._of_updates(small, end)
        return [*found, *self._of_losses(small, full), *self._of_lr()]

    def latent(self) -> list[Mistake]:
        """The mistakes that would show with a short last group, or a short batch in a full one."""
        ends = [self._large - self._batch]
        if self._batch > 1:
            ends.append(self._large - self._batch // 2)
        found = []
        for end in ends:
            small = self._record(self._small(0, end), self._steps)
            found += self._of_updates(small, end)[0]
        return found

    def _of_updates(self, small: Recording, end: int) -> tuple[list[Mistake], float]:
        """The mistakes that show in updates from samples 0…end−1, and their largest difference."""
        starts = range(0, end, self._large)
        found = [Mistake.LEFT_OVER] if small.left_over else []
        missing = len(starts) - len(small.gradients)
        if missing < 0 or missing > bool(end % self._large):
            # Raises unless a single batch leads to a single update.
            self._gradient(self._cutter.batch(0, self._batch))
            return [*found, Mistake.OTHER], math.nan
        gap = 0.0
        before: Tensor | None = None
        for start, gradient in zip(starts, small.gradients, strict=False):
            group = self._group(start, min(start + self._large, end))
            gap = max(gap, group.differ(gradient, group.large))
            if not group.same(gradient, group.large):
                found += group.explain(gradient, before)
            before = gradient
        return found, gap

    def _group(self, start: int, stop: int) -> Group:
        batches = self._small(start, stop)
        sizes = [min(self._batch, stop - at) for at in range(start, stop, self._batch)]
        return Group(self._cutter.batch(start, stop), batches, sizes, self._steps, self._gradient)

    def _gradient(self, batch: Any) -> Tensor:
        return only(self._record([batch], 1).gradients)

    def _of_losses(self, small: Recording, full: int) -> list[Mistake]:
        """The mistake, if any, of logging a loss that is k times too small."""
        end = full * self._large
        large = self._record(self._cutter.batches(0, end, self._large), 1).losses
        if not small.losses or not large:
            return []
        each = len(small.losses) > len(small.gradients)
        kept = small.losses[: full * (self._steps if each else 1)]
        wanted = float(np.mean(large))
        ratio = self._steps * float(np.mean(kept)) / wanted if wanted else math.nan
        return [Mistake.SCALED_LOSS] if abs(ratio - 1) < _ABOUT else []

    def _of_lr(self) -> list[Mistake]:
        """The mistake, if any, of an lr that advances faster than with large batches."""
        group, large = self._small(0, self._large), self._cutter.batch(0, self._large)
        small = self._record(group * _UPDATES, self._steps).lrs
        wanted = self._record([large] * _UPDATES, 1).lrs
        if len(small) != len(wanted) or np.allclose(small, wanted, rtol=1e-6, atol=0):
            return []
        return [Mistake.LR_PER_MICRO_BATCH]
