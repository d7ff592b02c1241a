"""The state of a loop's model, optimiser and other objects, as plain values and tensors."""

import copy
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from torch import nn
from torch.optim import Optimizer

from engine.training.state.modules import StateMismatchError, module_state, restore_module
from engine.training.state.optimizers import optimizer_state, restore_optimizer

_WRAPPED: Final = ("module", "_orig_mod")
"""Attributes by which a data-parallel or compiled model holds the model that it wraps."""
_WRAPPERS: Final = ("DataParallel", "DistributedDataParallel", "OptimizedModule")
_SHARDED: Final = ("FullyShardedDataParallel", "FSDPModule")


class UnsupportedError(Exception):
    """An object whose state a checkpoint cannot hold; the message names it."""


def loop_state(
    model: nn.Module, optimizer: Optimizer | None, others: Mapping[str, Any]
) -> dict[str, Any]:
    """The state of a loop's objects. It refers to their tensors, which training overwrites.

    Raises UnsupportedError for an object that has no state, or whose state is sharded.
    """
    return {
        "modules": {"model": module_state(unwrapped(model))},
        "optimizer": None if optimizer is None else optimizer_state(optimizer),
        "others": {name: _state_of(name, each) for name, each in others.items()},
    }


def restore_loop(
    state: Mapping[str, Any],
    model: nn.Module,
    optimizer: Optimizer | None,
    others: Mapping[str, Any],
) -> None:
    """Give newly made objects the state of a checkpoint; StateMismatchError if it does not fit."""
    kept = state["others"]
    if missing := kept.keys() - others.keys():
        raise StateMismatchError(
            f"it holds the state of {_listed(missing)}, too: add it to run.resume"
        )
    if added := others.keys() - kept.keys():
        raise StateMismatchError(f"it holds no state of {_listed(added)}")
    if (optimizer is None) != (state["optimizer"] is None):
        held = "no optimizer" if optimizer is not None else "the state of an optimizer"
        raise StateMismatchError(f"it holds {held}, unlike this loop")
    restore_module(unwrapped(model), state["modules"]["model"])
    if optimizer is not None:
        restore_optimizer(optimizer, state["optimizer"])
    for name, each in others.items():
        _restore(each, kept[name])


def unwrapped(model: Any) -> nn.Module:
    """The model inside its wrappers; UnsupportedError for anything that is no whole model."""
    while type(model).__name__ in _WRAPPERS:
        model = next(getattr(model, name) for name in _WRAPPED if hasattr(model, name))
    if not isinstance(model, nn.Module):
        raise UnsupportedError(f"the model is a {type(model).__name__}, not a torch module")
    names = {kind.__name__ for kind in type(model).__mro__}
    kinds = {type(each).__name__ for each in model.parameters()}
    if names & {*_SHARDED} or "DTensor" in kinds:
        raise UnsupportedError(
            "the model is sharded over the ranks (FSDP): save it with torch.distributed.checkpoint"
        )
    return model


def _state_of(name: str, each: Any) -> Any:
    if isinstance(each, Optimizer):
        return optimizer_state(each)
    if isinstance(each, nn.Module):
        return module_state(unwrapped(each))
    if not callable(getattr(each, "state_dict", None)):
        raise UnsupportedError(f"{name} is a {type(each).__name__}, which has no state_dict")
    return plain(each.state_dict())


def _restore(each: Any, state: Any) -> None:
    if isinstance(each, Optimizer):
        restore_optimizer(each, state)
    elif isinstance(each, nn.Module):
        restore_module(unwrapped(each), state)
    else:
        each.load_state_dict(_like(state, each.state_dict()))


def plain(value: Any) -> Any:
    """The value with plain containers, such as a dict for a Counter."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return tuple(plain(each) for each in value)
    if isinstance(value, list | deque):
        return [plain(each) for each in value]
    return value


def _like(value: Any, current: Any) -> Any:
    """A plain value with the containers of the object's own state."""
    if isinstance(value, dict) and isinstance(current, dict):
        made = copy.copy(current)
        made.clear()
        made.update({key: _like(each, current.get(key)) for key, each in value.items()})
        return made
    if isinstance(current, deque) and isinstance(value, list):
        return deque(value, current.maxlen)
    if isinstance(current, tuple) and hasattr(current, "_fields") and isinstance(value, tuple):
        return type(current)(*value)
    return value


def _listed(names: Any) -> str:
    return ", ".join(sorted(map(str, names)))
