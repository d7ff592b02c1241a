"""The state of an optimiser, exactly: torch's own loading casts it to the type of the weights."""

import inspect
from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import Tensor

from engine.training.state.modules import StateMismatchError

_LOOPS: Final = ("foreach", "fused")
"""Options that depend on the device, not on the training."""


def optimizer_state(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """The content of `state_dict()`, without the import of torch._dynamo that its wrapper needs."""
    state: dict[str, Any] = inspect.unwrap(type(optimizer).state_dict)(optimizer)
    return state


def restore_optimizer(optimizer: torch.optim.Optimizer, state: Mapping[str, Any]) -> None:
    """Let an optimiser continue from this state, with the dicts of its parameter groups kept."""
    groups = [*optimizer.param_groups]
    try:
        inspect.unwrap(type(optimizer).load_state_dict)(optimizer, {**state})
    except (ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
        raise StateMismatchError(f"the optimiser differs: {error}") from error
    for place, (old, new) in enumerate(zip(groups, optimizer.param_groups, strict=True)):
        loops = {name: old[name] for name in _LOOPS if name in old}
        old.clear()
        old.update(new | loops)
        optimizer.param_groups[place] = old  # schedulers and others hold it
    _undo_casts(optimizer, state)


def _undo_casts(optimizer: torch.optim.Optimizer, state: Mapping[str, Any]) -> None:
    parameters = [each for group in optimizer.param_groups for each in group["params"]]
    numbers = [each for group in state["param_groups"] for each in group["params"]]
    by_number = dict(zip(numbers, parameters, strict=True))
    for number, kept in state["state"].items():
        if number not in by_number or not isinstance(kept, dict):
            continue
        current = optimizer.state[by_number[number]]
        for name, value in kept.items():
            loaded = current.get(name)
            if isinstance(value, Tensor) and isinstance(loaded, Tensor):
                if value.dtype != loaded.dtype:
                    current[name] = value.clone().to(loaded.device)
                elif loaded.data_ptr() == value.data_ptr():
                    current[name] = value.clone()
