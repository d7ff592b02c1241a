"""Infers what a problem's loss is averaged over: as the problem says, or as torch's losses do it.

Any other loss is taken for a mean over samples; engine.audit finds out whether it is one.
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
"""The losses of torch that leave targets out of their mean, or give classes weights in it."""


def average_of(problem: Problem, model: nn.Module) -> Average:
    """The average that the problem's loss takes, as far as that is known before it is computed."""
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
    """The average of a loss of torch, or of a partial of one; None for any other."""
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
    """The reduction that a loss of torch does, by its own word or by the flags of old."""
    if options.get("size_average") is None and options.get("reduce") is None:
        return str(options.get("reduction", "mean"))
    if options.get("reduce") is False:
        return "none"
    return "sum" if options.get("size_average") is False else "mean"
