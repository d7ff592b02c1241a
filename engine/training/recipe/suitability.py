"""Refusal of optimisers that cannot step on one gradient an update."""

import inspect
from typing import Any, Final

import torch

from engine.settings import SettingsError

CLOSURES: Final = ("lbfgs",)
"""Optimisers of torch that compute several losses an update."""


def refuse_closure(name: str) -> SettingsError:
    """The refusal of an optimiser that asks for a closure."""
    return SettingsError(
        f"optimizer {name} computes the loss several times for one update, so that a batch has no "
        "single loss to show; choose one that steps on a gradient, such as sgd or adam"
    )


def check_own(made: Any, hint: str) -> torch.optim.Optimizer:
    """The result of a problem's optimizer function, if that is an optimiser that can be stepped.

    Raises SettingsError if it is not.
    """
    if isinstance(made, torch.optim.Optimizer):
        closure = inspect.signature(made.step).parameters.get("closure")
        if closure is not None and closure.default is closure.empty:
            raise refuse_closure(type(made).__name__)
        return made
    several = made.values() if isinstance(made, dict) else made
    if isinstance(several, tuple | list | type({}.values())):
        count = sum(isinstance(each, torch.optim.Optimizer) for each in several)
        if count > 1:
            raise SettingsError(
                f"the problem's optimizer returns {count} optimisers, but an update is one step of "
                "one: give it all parameters, in a group for each set of options"
            )
    raise SettingsError(
        "the problem's optimizer must return a torch.optim.Optimizer, not "
        f"{type(made).__name__}{hint}"
    )
