"""The arguments that a model's forward takes out of a batch with names."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from engine.problem import ProblemError


def eager(model: nn.Module) -> nn.Module:
    """The model that torch.compile was given; any other model as it is."""
    while isinstance(inner := getattr(model, "_orig_mod", None), nn.Module):
        model = inner
    return model


def keywords(model: nn.Module, samples: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys of `samples` that `forward` accepts; ProblemError when it needs others."""
    parameters = _parameters(eager(model))
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    missing = [p.name for p in named if p.default is p.empty and p.name not in samples]
    taken = tuple(p.name for p in named if p.name in samples)
    if not named and any(p.kind is p.VAR_KEYWORD for p in parameters):
        return tuple(samples)  # a wrapper, which passes on whatever it gets
    if missing or not taken:
        wanted = ", ".join(missing) or "none of them by name"
        raise ProblemError(
            f"the samples hold {', '.join(map(str, samples))}, but the model's forward takes "
            f"{wanted}"
        )
    return taken


def _parameters(model: nn.Module) -> Sequence[inspect.Parameter]:
    schema = getattr(model.forward, "schema", None)  # of a model of torch.jit
    if schema is None:
        return list(inspect.signature(model.forward).parameters.values())
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return [
        inspect.Parameter(
            each.name, kind, default=None if each.has_default_value() else inspect.Parameter.empty
        )
        for each in schema.arguments[1:]
    ]
