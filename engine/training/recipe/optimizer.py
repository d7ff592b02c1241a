"""The optimiser that a variant's settings name: a class of torch.optim, or the problem's own."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import torch

from engine.problem import OWN
from engine.settings import SettingsError, VariantSettings
from engine.training.model import Objective
from engine.training.recipe.suitability import CLOSURES, check_own, refuse_closure

_HINT: Final = (
    "; a scheduler is a function of its own, which gdtui steps after each update: "
    "Problem(scheduler=lambda optimizer, updates: …)"
)


def make_optimizer(
    objective: Objective, settings: VariantSettings, lr: float
) -> torch.optim.Optimizer:
    """The optimiser that the settings name; SettingsError if there is none of this name."""
    if settings.optimizer_parsed[0] == OWN:
        return _own(objective, settings, lr)
    kind, options = _named(settings)
    if objective.device.type == "cpu" and "foreach" in _names(kind) and not options.get("fused"):
        # As torch chooses there in each step, which takes a twentieth of a one-sample update.
        options.setdefault("foreach", False)
    try:
        return _bare(kind)(objective.parameters, lr=lr, **options)
    except (TypeError, ValueError, ArithmeticError, RuntimeError) as error:
        raise SettingsError(f"optimizer {settings.optimizer}: {error}") from None


def check_optimizer(settings: VariantSettings) -> None:
    """Raise SettingsError if torch has no optimizer of this name, with these arguments."""
    if settings.optimizer_parsed[0] != OWN:
        _named(settings)


def _named(settings: VariantSettings) -> tuple[type[torch.optim.Optimizer], dict[str, Any]]:
    """The class that the settings name, and its arguments beside the lr."""
    name, arguments = settings.optimizer_parsed
    kinds = {
        each.lower(): kind
        for each, kind in vars(torch.optim).items()
        if isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer)
    }
    if name in CLOSURES:
        raise refuse_closure(name)
    usable = kinds.keys() - {"optimizer", *CLOSURES}  # the base class cannot step
    if name not in usable:
        raise SettingsError(f"unknown optimizer {name!r}: choose from {', '.join(sorted(usable))}")
    kind = kinds[name]
    known = _names(kind)
    _check_arguments(name, arguments, known)
    options: dict[str, Any] = dict(arguments)
    if settings.momentum:
        if "momentum" not in known:
            raise SettingsError(f"optimizer {name} takes no momentum; set it to 0")
        options["momentum"] = settings.momentum
    return kind, options


def _names(make: Callable[..., Any]) -> list[str]:
    """The arguments beside parameters and lr that may be given by name."""
    parameters = list(inspect.signature(make).parameters.values())
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return [p.name for p in named if p.name not in ("params", "lr")]


def _check_arguments(name: str, arguments: Mapping[str, Any], known: Sequence[str]) -> None:
    for each in arguments:
        if each not in known:
            there = f"choose from {', '.join(known)}" if known else "it takes none"
            raise SettingsError(f"optimizer {name}: unknown argument {each!r}; {there}")


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


def _own(objective: Objective, settings: VariantSettings, lr: float) -> torch.optim.Optimizer:
    make, arguments = objective.problem.optimizer, settings.optimizer_parsed.arguments
    if make is None:
        raise SettingsError("optimizer 'own': this problem defines none; choose one of torch.optim")
    if settings.momentum:
        raise SettingsError("the problem's own optimiser sets its momentum itself; set it to 0")
    takes, *others = inspect.signature(make).parameters
    _check_arguments(OWN, arguments, others[1:])
    optimizer = check_own(make(_weights_for(takes, objective), lr, **arguments), _HINT)
    if any("initial_lr" in group for group in optimizer.param_groups):
        raise SettingsError(f"the problem's optimizer makes an lr scheduler, too{_HINT}")
    return optimizer


def _weights_for(takes: str, objective: Objective) -> Any:
    """The weights in the form that the name of the function's first argument asks for."""
    if takes == "model":
        return objective.model
    if takes in ("named_parameters", "named_params"):
        return [pair for pair in objective.model.named_parameters() if pair[1].requires_grad]
    return objective.parameters
