"""Infers what a loss is averaged over, from the problem's `weight` or from torch's known losses.

Any other loss is assumed to be a mean over samples; engine.audit checks whether it is.
"""

from functools import partial
from typing import Any, Final

from torch import nn
from torch.nn import functional

from engine.problem import Problem
from engine.settings import LossAverage
from engine.training.averaging import cross_entropy, labels
from engine.training.averaging.average import SAMPLES, SUM, Average

_NAMED: Final = {"samples": SAMPLES, "sum": SUM}
_OVER_TARGETS: Final = (
    nn.CrossEntropyLoss,
    nn.NLLLoss,
    functional.cross_entropy,
    functional.nll_loss,
)
"""torch's losses that can ignore targets in their mean, or weight them by class."""


def average_of(problem: Problem, model: nn.Module) -> Average:
    """The kind of average that the problem's loss is, as far as it is known before training."""
    given = problem.weight
    if given is None:
        return _of_loss(problem) or labels.average_of(model) or SAMPLES
    if isinstance(given, str):
        return _NAMED[given]
    described = LossAverage(
        over="what the problem's weight counts", weight="problem.weight(output, target)"
    )
    return Average(described, lambda _, output, target: given(output, target))


def _of_loss(problem: Problem) -> Average | None:
    """The average of a torch loss or a `partial` of it; None for any other loss."""
    loss: Any = problem.loss
    if isinstance(loss, nn.Module):
        kind: Any = type(loss)
        module, options = kind.__module__, {**vars(loss), **loss._buffers}
        owner = "problem.loss.{}"
    else:
        kind, options = (loss.func, loss.keywords) if isinstance(loss, partial) else (loss, {})
        module, owner = getattr(kind, "__module__", ""), "problem.loss.keywords[{!r}]"
    if module not in (functional.__name__, nn.MSELoss.__module__):
        return None
    reduction = _reduction(options)
    if reduction == "sum":
        return SUM
    if kind not in _OVER_TARGETS or reduction != "mean":
        return None
    return cross_entropy.average_of(problem, options, owner)


def _reduction(options: dict[str, Any]) -> str:
    """The reduction of a torch loss, from `reduction` or its deprecated predecessors."""
    if options.get("size_average") is None and options.get("reduce") is None:
        return str(options.get("reduction", "mean"))
    if options.get("reduce") is False:
        return "none"
    return "sum" if options.get("size_average") is False else "mean"
