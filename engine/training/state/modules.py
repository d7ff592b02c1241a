"""The state of a model, or of a loss with weights: parameters, buffers, and what it has counted.

Restoring copies into the tensors of a newly made module, so that tied weights stay tied and nothing
that optimisers or compilers refer to is replaced.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import torch
from torch import Tensor, nn

from engine.training.state.generators import OBJECTS, generator_state, restore_generator

_TORCHS_OWN: Final = frozenset(vars(nn.Module()))
"""Attributes in which torch keeps parameters, buffers, parts and hooks."""
_NUMBERS: Final = (bool, int, float)
_MOST_COUNTED: Final = 100_000
"""Largest number of values in an attribute that is kept."""


class StateMismatchError(Exception):
    """A state that belongs to another model or optimiser; the message says what differs."""


def module_state(root: nn.Module) -> dict[str, Any]:
    """The state of a module and all modules in it, by the paths of attributes."""
    tensors: dict[str, Tensor] = {}
    names: dict[int, str] = {}
    for name, tensor in _tensors(root):
        if id(tensor) not in names:  # tied weights are kept once
            names[id(tensor)] = name
            tensors[name] = tensor.detach()
    return {
        "tensors": tensors,
        "saved": _saved_names(root, names),
        "counted": dict(_counted(root)),
        "generators": {name: generator_state(each) for name, each in _generators(root)},
        "extra": _extra_states(root),
    }


def restore_module(root: nn.Module, state: Mapping[str, Any]) -> None:
    """Give a module the state of another of the same kind; StateMismatchError otherwise."""
    _copy_tensors(root, state["tensors"])
    modules = dict(root.named_modules())
    for name, value in state["counted"].items():
        path, _, attribute = name.rpartition(".")
        owner = modules.get(path)
        before = None if owner is None else vars(owner).get(attribute)
        if owner is None or attribute in _TORCHS_OWN:  # which earlier versions kept, too
            continue
        if type(before) is type(value) and is_counted(before):
            owner.__dict__[attribute] = value
    for name, generator in _generators(root):
        if name in state["generators"]:
            restore_generator(generator, state["generators"][name])
    for name, extra in state["extra"].items():
        if name in modules and _has_extra_state(modules[name]):
            modules[name].set_extra_state(extra)


def _copy_tensors(root: nn.Module, kept: Mapping[str, Tensor]) -> None:
    found = dict(_tensors(root))
    modules = dict(root.named_modules())
    with torch.no_grad():
        for name, tensor in kept.items():
            path, _, attribute = name.rpartition(".")
            owner = modules.get(path)
            if owner is None:
                raise StateMismatchError(f"the model has no part {path!r}")
            current = found.get(name)
            if current is None or current.shape != tensor.shape:
                _replace(owner, attribute, tensor, current, root)
            elif current.dtype != tensor.dtype:
                raise StateMismatchError(f"{name} is {current.dtype}, not {tensor.dtype}")
            else:
                current.copy_(tensor)


def _replace(
    owner: nn.Module, name: str, tensor: Tensor, current: Tensor | None, root: nn.Module
) -> None:
    """Set a buffer or attribute that training makes or resizes; parameters have a fixed size."""
    if isinstance(current, nn.Parameter) or name in owner._parameters:
        shape = None if current is None else tuple(current.shape)
        raise StateMismatchError(f"{name} has the shape {shape}, not {tuple(tensor.shape)}")
    if name not in owner._buffers and name not in vars(owner):
        raise StateMismatchError(f"the model has no weights {name!r}")
    device = next((p.device for p in root.parameters()), tensor.device)
    copied = tensor.clone().to(device if current is None else current.device)
    (owner._buffers if name in owner._buffers else owner.__dict__)[name] = copied


def _tensors(root: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """All tensors by path: parameters, buffers (also those that are not saved), attributes."""
    for path, module in root.named_modules():
        for kind in (module._parameters, module._buffers, vars(module)):
            for name, value in kind.items():
                if isinstance(value, Tensor):
                    yield _joined(path, name), value


def _saved_names(root: nn.Module, names: Mapping[int, str]) -> dict[str, str]:
    """The names in `state_dict()`, with those of the tensors here; ties share one."""
    saved = {}
    for path, module in root.named_modules(remove_duplicate=False):
        buffers = {
            name: each
            for name, each in module._buffers.items()
            if name not in module._non_persistent_buffers_set
        }
        for name, tensor in (*module._parameters.items(), *buffers.items()):
            if tensor is not None:
                saved[_joined(path, name)] = names[id(tensor)]
    return saved


def _counted(root: nn.Module) -> Iterator[tuple[str, Any]]:
    """Plain attributes of modules that torch has not written."""
    for path, module in root.named_modules():
        if type(module).__module__.startswith("torch."):
            continue
        for name, value in vars(module).items():
            if name not in _TORCHS_OWN and not name.startswith("__") and is_counted(value):
                yield _joined(path, name), value


def is_counted(value: Any) -> bool:
    """True for numbers, and lists, tuples and dicts of numbers and tensors: what training counts.

    Text is left out: it names things, and what it names may be code.
    """
    if type(value) in _NUMBERS:
        return True
    todo, seen = [value], 0
    if type(value) not in (list, tuple, dict) or not value:
        return type(value) in (list, dict)
    while todo:
        each = todo.pop()
        seen += 1
        if type(each) is dict:
            if not all(type(key) in (str, int) for key in each):
                return False
            todo += each.values()
        elif type(each) in (list, tuple):
            todo += each
        elif not (each is None or type(each) in (*_NUMBERS, Tensor)):
            return False
        if seen > _MOST_COUNTED:
            return False
    return True


def _generators(root: nn.Module) -> Iterator[tuple[str, Any]]:
    for path, module in root.named_modules():
        for name, value in vars(module).items():
            if isinstance(value, OBJECTS):
                yield _joined(path, name), value


def _has_extra_state(module: nn.Module) -> bool:
    return type(module).get_extra_state is not nn.Module.get_extra_state


def _extra_states(root: nn.Module) -> dict[str, Any]:
    return {
        path: module.get_extra_state()
        for path, module in root.named_modules()
        if _has_extra_state(module)
    }


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
