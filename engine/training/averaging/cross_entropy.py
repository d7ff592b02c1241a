"""Weights of torch's cross-entropies: the targets that are not ignored, or their class weights.

With class weights, the mean divides by the sum of the targets' weights (torch's documentation of
CrossEntropyLoss), with label smoothing as well. If targets are probabilities, it divides by their
number, whatever the class weights.
"""

from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import Tensor

from engine.problem import Problem, is_tensors
from engine.settings import LossAverage
from engine.training.averaging.average import SAMPLES, Average

_IGNORED: Final = -100
"""torch's default `ignore_index`."""
_LOOKED_THROUGH_BYTES: Final = 64 << 20
"""Largest targets searched for ignored values: a tenth of a second at most."""


def average_of(problem: Problem, options: Mapping[str, Any], owner: str) -> Average:
    """The average of a cross-entropy with these options, kept in the problem's loss as `owner`.

    The average over samples if no target can change the divisor; it costs nothing in training.
    """
    ignored: int = options.get("ignore_index", _IGNORED)
    class_weights: Tensor | None = options.get("weight")
    if _counts_every_sample(problem, ignored, has_weights=class_weights is not None):
        return SAMPLES
    others = f"targets other than {ignored}"
    if class_weights is None:
        described = LossAverage(over=others, weight=f"(target != {ignored}).sum()")
        return Average(described, lambda _, output, target: _count(output, target, ignored))
    kept = owner.format("weight")
    described = LossAverage(
        over=f"the class weights of {others}", weight=f"{kept}[target[target != {ignored}]].sum()"
    )
    return Average(
        described, lambda _, output, target: _sum(output, target, ignored, class_weights)
    )


def _count(output: Tensor, target: Tensor, ignored: int) -> Tensor | int:
    """The number of targets that are not ignored."""
    if target.is_floating_point():  # probabilities of the classes, which lie along dimension 1
        return output.numel() // output.shape[min(1, output.ndim - 1)]
    return (target != ignored).sum()


def _sum(output: Tensor, target: Tensor, ignored: int, class_weights: Tensor) -> Tensor | int:
    """The sum of the class weights of the targets that are not ignored."""
    if target.is_floating_point():
        return _count(output, target, ignored)
    counts = target != ignored
    # An index of booleans would wait for the device.
    each = class_weights.to(target.device)[torch.where(counts, target, 0)]
    return torch.where(counts, each, 0).sum()


def _counts_every_sample(problem: Problem, ignored: int, *, has_weights: bool) -> bool:
    """True if every sample is known to have the same weight, after searching its targets."""
    sets = [each for each in (problem.train, problem.validation) if each is not None]
    return problem.collate is None and all(
        _is_uniform(data, ignored, has_weights=has_weights) for data in sets
    )


def _is_uniform(data: Any, ignored: int, *, has_weights: bool) -> bool:
    tensors = getattr(data, "tensors", data)  # a TensorDataset holds them here
    if not is_tensors(tensors):
        return False
    target = torch.as_tensor(tensors[-1])
    if target.is_floating_point():
        return True
    if has_weights or target.numel() * target.element_size() > _LOOKED_THROUGH_BYTES:
        return False
    return not bool((target == ignored).any())
