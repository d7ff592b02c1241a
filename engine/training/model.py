"""How a problem's model and loss are called with a batch, whatever its form; and what they got wrong."""

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from engine.problem import Problem, ProblemError
from engine.training.data.sources import Samples


class Modelling:
    """A model with fresh weights, in training mode on its device, and the loss of its output."""

    def __init__(self, problem: Problem, device: torch.device) -> None:
        model = problem.model()
        if not isinstance(model, nn.Module):
            what = f"model: returns a {type(model).__name__}, no torch.nn.Module"
            raise ProblemError(what, about=problem.model)
        self.model = model.to(device).train()
        self.problem = problem
        self._loss = problem.loss
        self._keywords: tuple[str, ...] | None = None

    def loss(self, samples: Samples) -> Tensor:
        """Mean loss over a batch, to be differentiated."""
        return self._loss(*self.outcome(samples))

    def outcome(self, samples: Samples) -> tuple[Any, Any]:
        """The model's output for a batch, and the target to hold it against."""
        if isinstance(samples, dict):
            if self._keywords is None:
                self._keywords = _keywords(self.model, samples)
            return self.model(**{name: samples[name] for name in self._keywords}), samples
        *inputs, target = samples
        return self.model(*inputs), target


def _keywords(model: nn.Module, samples: Mapping[str, Any]) -> tuple[str, ...]:
    """Those of the samples that `forward` names; ProblemError when it needs others."""
    parameters = inspect.signature(model.forward).parameters.values()
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    missing = [p.name for p in named if p.default is p.empty and p.name not in samples]
    taken = tuple(p.name for p in named if p.name in samples)
    if missing or not taken:
        wanted = ", ".join(missing) or "none of them by name"
        raise ProblemError(f"the samples hold {', '.join(samples)}, but the model's forward takes {wanted}")
    return taken


def describe(model: nn.Module) -> str:
    """A model in a few characters, such as "Linear(10,1)"."""
    if isinstance(model, nn.Linear):
        return f"Linear({model.in_features},{model.out_features})"
    return type(model).__name__


def count_parameters(model: nn.Module) -> int:
    """Numbers among the weights, trained or not."""
    return sum(parameter.numel() for parameter in model.parameters())
