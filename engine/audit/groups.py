"""A group of batches: the update it should give, and the mistakes that explain a different one."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Final

import torch
from torch import Tensor

from engine.audit.mistakes import Mistake
from engine.problem import ProblemError

_TOLERANCES: Final = {torch.float64: 1e-7, torch.float32: 1e-3}
_TOLERANCE_16: Final = 0.05
"""Relative differences of gradients that count as rounding."""

GradientOf = Callable[[Any], Tensor]
"""The gradient of an update from this batch alone."""


class Group:
    """The batches that make up one update."""

    def __init__(
        self, whole: Any, batches: Sequence[Any], sizes: Sequence[int], steps: int, of: GradientOf
    ) -> None:
        """`whole` has all samples in one batch; `steps` is the batch count of a full group."""
        self.sizes = sizes
        self.steps = steps
        self._batches = batches
        self._of = of
        self.large = of(whole)
        """The gradient of one large batch."""

    @cached_property
    def _singles(self) -> Tensor:
        """The gradient of each batch by itself, one per row."""
        return torch.stack([self._of(batch) for batch in self._batches])

    def differ(self, one: Tensor, other: Tensor) -> float:
        """The norm of the difference, relative to that of the large batch's gradient."""
        return float((one - other).norm() / self.large.norm().clamp(min=1e-30))

    def same(self, one: Tensor, other: Tensor) -> bool:
        """True if the two differ by rounding at most."""
        return self.differ(one, other) <= _TOLERANCES.get(one.dtype, _TOLERANCE_16)

    def explain(self, gradient: Tensor, before: Tensor | None) -> list[Mistake]:
        """The mistakes that explain this gradient of the group.

        `before` is the gradient of the previous update.
        """
        if before is not None and self.same(gradient - before, self.large):
            return [Mistake.NOT_CLEARED]
        batches, samples = len(self.sizes), sum(self.sizes)
        total = self._singles.sum(0)
        if batches > 1 and (self.same(gradient, total) or self._is_times(gradient, batches)):
            return [Mistake.NOT_DIVIDED]
        shares = torch.tensor(self.sizes, dtype=total.dtype) @ self._singles
        nominal = self.steps * max(self.sizes)
        for is_short in (False, True):
            short = [Mistake.SHORT_GROUP] if is_short else []
            if self.same(gradient, total / (self.steps if is_short else batches)):
                return short + self._of_equals(total / batches, shares / samples)
            if self.same(gradient, shares / (nominal if is_short else samples)):
                return short + self._of_samples(shares / samples)
        return (
            [Mistake.SHORT_GROUP]
            if self._is_times(gradient, samples / nominal)
            else [Mistake.OTHER]
        )

    def _is_times(self, gradient: Tensor, factor: float) -> bool:
        return self.same(gradient / factor, self.large)

    def _of_equals(self, mean: Tensor, by_samples: Tensor) -> list[Mistake]:
        """The mistakes made if all batches count the same."""
        if self.same(mean, self.large):
            return []
        if self.same(by_samples, self.large):
            return [Mistake.MEAN_OF_MEANS]
        return self._of_samples(by_samples)

    def _of_samples(self, by_samples: Tensor) -> list[Mistake]:
        """The mistakes made if batches count by their number of samples."""
        if self.same(by_samples, self.large):
            return []
        return [Mistake.IGNORED_TOKENS if self._is_average else Mistake.WHOLE_BATCH]

    @property
    def _is_average(self) -> bool:
        """True if the large batch's gradient is an average of the small batches' gradients."""
        rows = self._singles.double()
        if rows.shape[1] <= len(rows):
            return True  # so many rows can make up any vector
        shares = torch.linalg.lstsq(rows.T, self.large.double()[:, None]).solution.flatten()
        fits = self.same((shares @ rows).to(self.large.dtype), self.large)
        return fits and bool((shares > -0.01).all()) and abs(float(shares.sum()) - 1) < 0.01


def only(gradients: Sequence[Tensor]) -> Tensor:
    """The gradient of the only update; ProblemError if there are none or several."""
    if len(gradients) != 1:
        raise ProblemError(
            f"audit: given one batch and an accumulation of 1, the loop made {len(gradients)} "
            "updates; call optimizer.step() once for each group of batches"
        )
    return gradients[0]
