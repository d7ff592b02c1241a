"""The random generators on which a loop's batches depend: those of its loader, and shared ones."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

import torch
from torch import Tensor

from engine.training.state.generators import (
    OBJECTS,
    generator_state,
    global_generators,
    restore_generator,
    restore_global_generators,
)

_PARTS: Final = ("batch_sampler", "sampler", "dataset", "generator")
"""Attributes of a loader, and of its parts, that may be or hold generators."""
_MOST_NESTED: Final = 8
"""A dataset may wrap another one, as Subset does."""

States = dict[str, Any]
"""States of generators as plain values, by the attributes that lead to the generators."""


class LoopGenerators:
    """The generators of a loader, its samplers and its dataset, and those that all code shares."""

    def __init__(self, loader: Any, device: torch.device) -> None:
        """`device`: the one that the loop trains on."""
        self._device = device
        self._own: dict[str, Any] = {}
        with contextlib.suppress(Exception):  # a user's objects may do anything when looked at
            self._own.update(_found(loader))

    def states(self) -> States:
        """The states of all generators now, except for those that have none."""
        own = {}
        for name, each in self._own.items():
            with contextlib.suppress(Exception):  # such as SystemRandom's
                own[name] = generator_state(each)
        return {"shared": global_generators(self._device), "own": own}

    def restore(self, states: Mapping[str, Any]) -> None:
        """Let the generators continue from these states; those without one are left alone."""
        shared = states["shared"]
        if self._device.type != "cpu" and "device" not in shared:  # it was trained on the CPU
            shared = {**global_generators(self._device), **shared}
        restore_global_generators(shared, self._device)
        for name, each in self._own.items():
            if name in states["own"]:
                restore_generator(each, states["own"][name])


def _found(root: Any) -> Iterator[tuple[str, Any]]:
    """The generators that a loader or its parts hold, by path."""
    todo, seen = [("loader", root, 0)], set()
    while todo:
        path, owner, depth = todo.pop()
        if id(owner) in seen or depth > _MOST_NESTED:
            continue
        seen.add(id(owner))
        if isinstance(owner, OBJECTS):
            yield path, owner
            continue
        held = getattr(owner, "__dict__", {})
        for name, value in held.items():
            if isinstance(value, OBJECTS) or name in _PARTS:
                todo.append((f"{path}.{name}", value, depth + 1))


def with_bytes(states: Any) -> Any:
    """The same states with bytes for tensors, so that they can be encoded by themselves."""
    if isinstance(states, Tensor) and states.dtype == torch.uint8:
        return states.cpu().numpy().tobytes()
    if isinstance(states, dict):
        return {name: with_bytes(each) for name, each in states.items()}
    return states


def with_tensors(states: Any) -> Any:
    """The reverse of `with_bytes`."""
    if isinstance(states, bytes):
        return torch.frombuffer(bytearray(states), dtype=torch.uint8)
    if isinstance(states, dict):
        return {name: with_tensors(each) for name, each in states.items()}
    return states
