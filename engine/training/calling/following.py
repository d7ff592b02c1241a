"""Moves a loss or a metric to the device of the model, with what it holds."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn


def follow(function: Any, device: torch.device) -> None:
    """Move the modules and tensors that a loss or metric holds to the device.

    As a module, in a partial, as attributes, by the method of a module, or in a closure.
    """
    for module in _modules(function):
        module.to(device)
    if isinstance(function, partial):
        for name, value in function.keywords.items():
            if isinstance(value, Tensor):
                function.keywords[name] = value.to(device)
    elif not isinstance(function, nn.Module) and not isinstance(function, type):
        for name, value in getattr(function, "__dict__", {}).items():
            if isinstance(value, Tensor):
                setattr(function, name, value.to(device))


def _modules(function: Any) -> Iterator[nn.Module]:
    if isinstance(function, partial):
        held = [function.func, *function.args, *function.keywords.values()]
    else:
        owner = getattr(function, "__self__", None)
        cells = [_contents(cell) for cell in getattr(function, "__closure__", None) or ()]
        is_plain = not isinstance(function, nn.Module | type)
        attributes = getattr(function, "__dict__", {}).values() if is_plain else ()
        held = [function, owner, *cells, *attributes]
    yield from (each for each in held if isinstance(each, nn.Module))


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # of a name that has no value yet
        return None
