"""The optimiser that a variant's settings name: a class of torch.optim, or the problem's own."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from engine.problem import OWN, Problem
from engine.settings import SettingsError, VariantSettings


def make_optimizer(
    problem: Problem, parameters: Iterable[nn.Parameter], settings: VariantSettings, lr: float
) -> torch.optim.Optimizer:
    """The optimiser that the settings name; SettingsError if there is none of this name."""
    if settings.optimizer.lower() == OWN:
        return _own(problem, parameters, settings, lr)
    kinds: dict[str, type[torch.optim.Optimizer]] = {
        name.lower(): kind
        for name, kind in vars(torch.optim).items()
        if isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer)
    }
    # The base class cannot step, and LBFGS needs a closure with several losses per update.
    usable = kinds.keys() - {"optimizer", "lbfgs"}
    name = settings.optimizer.lower()
    if name not in usable:
        raise SettingsError(
            f"unknown optimizer {settings.optimizer!r}: choose from {', '.join(sorted(usable))}"
        )
    options: dict[str, Any] = {"momentum": settings.momentum} if settings.momentum else {}
    try:
        return _bare(kinds[name])(parameters, lr=lr, **options)
    except TypeError:
        raise SettingsError(
            f"optimizer {settings.optimizer} takes no momentum; set it to 0"
        ) from None
    except ValueError as error:
        raise SettingsError(f"optimizer {settings.optimizer}: {error}") from None


def _bare(kind: type[torch.optim.Optimizer]) -> Callable[..., torch.optim.Optimizer]:
    """The same optimiser without torch's wrappers for torch.compile and torch.profiler.

    The wrapper for torch.compile imports torch._dynamo, which takes nearly as long as torch
    itself; in a small step, both wrappers take longer than the arithmetic. Nothing is compiled or
    profiled here.
    """
    step = torch.no_grad()(inspect.unwrap(kind.step))
    step.hooked = True  # keeps torch.optim from wrapping it again
    bare = {"step": step, "add_param_group": inspect.unwrap(kind.add_param_group)}
    return type(kind.__name__, (kind,), bare)


def _own(
    problem: Problem, parameters: Iterable[nn.Parameter], settings: VariantSettings, lr: float
) -> torch.optim.Optimizer:
    if problem.optimizer is None:
        raise SettingsError("optimizer 'own': this problem defines none; choose one of torch.optim")
    if settings.momentum:
        raise SettingsError("the problem's own optimiser sets its momentum itself; set it to 0")
    optimizer = problem.optimizer(parameters, lr)
    if not isinstance(optimizer, torch.optim.Optimizer):
        made = type(optimizer).__name__
        raise SettingsError(
            f"the problem's optimizer must return a torch.optim.Optimizer, not {made}"
        )
    return optimizer


class LearningRate:
    """Sets an optimiser's lr; a parameter group that began with another lr keeps its ratio."""

    def __init__(self, optimizer: torch.optim.Optimizer, lr: float) -> None:
        self._groups = [(group, group["lr"] / lr) for group in optimizer.param_groups]

    def set(self, lr: float) -> None:
        """Use this lr from the next step on."""
        for group, ratio in self._groups:
            group["lr"] = lr * ratio
