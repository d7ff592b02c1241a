"""Memory that a measurement takes beside training: counted, bounded and checked."""

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from engine.problems.tabular.memory import as_text, available_memory
from engine.training.devices.memory import free_memory

_LEAST_ROOM: Final = 8 << 20
"""Bytes for the activations of a piece, if the weights take less."""
_LEAST_ROOM_ON_GPU: Final = 128 << 20
"""The same on a GPU, which smaller pieces would leave idle."""


class MeasureError(Exception):
    """A quantity that cannot be measured; the message says why."""


def weight_bytes(model: nn.Module) -> int:
    """Bytes of a model's parameters; tied ones count once."""
    return sum(each.numel() * each.element_size() for each in model.parameters())


def room_for_activations(model: nn.Module, device: torch.device) -> int:
    """Bytes that the activations of one piece may take: those of the weights, or a few MB."""
    least = _LEAST_ROOM if device.type == "cpu" else _LEAST_ROOM_ON_GPU
    return max(weight_bytes(model), least)


def activation_bytes(loss: Callable[[int], Tensor], model: nn.Module, samples: int) -> int:
    """Bytes of activations that a backward pass keeps for each sample.

    `loss(count)` computes the loss of the first samples. Compares three samples with one, since
    some of the memory does not depend on their number.
    """
    one = _saved_bytes(loss, model, 1)
    return max((_saved_bytes(loss, model, 3) - one) // 2, 1) if samples >= 3 else max(one, 1)


def _saved_bytes(loss: Callable[[int], Tensor], model: nn.Module, count: int) -> int:
    held = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    total = 0

    def note(tensor: Tensor) -> Tensor:
        nonlocal total
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in held:
            held.add(storage.data_ptr())
            total += storage.nbytes()
        return tensor

    with saved_tensors_hooks(note, lambda tensor: tensor):
        kept = loss(count)  # its graph keeps the storages alive, so that no two share an address
    del kept
    return total


def check_room(needed: int, device: torch.device) -> None:
    """Raise MeasureError if a measurement would take more memory than is free."""
    free = free_memory(device) if device.type == "cuda" else available_memory()
    if free is not None and needed > free:
        raise MeasureError(
            f"it takes {as_text(needed)} of memory beside training, and {as_text(free)} are free"
        )
