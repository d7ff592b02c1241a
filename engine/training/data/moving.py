"""Moves batches to the device, whatever they are made of."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence


def moved(samples: Any, device: torch.device) -> Any:
    """The samples, with all their tensors moved to the device.

    A mapping of any kind becomes a dict, a tuple or list a list; a named tuple stays one.
    """
    if isinstance(samples, Tensor):
        return _moved(samples, device)
    if isinstance(samples, Mapping):
        return {name: moved(value, device) for name, value in samples.items()}
    if isinstance(samples, PackedSequence):
        return samples.to(device)  # type: ignore[arg-type]  # keeps its sizes on the host
    if isinstance(samples, tuple | list):
        values = [moved(value, device) for value in samples]
        return type(samples)(*values) if hasattr(samples, "_fields") else values
    if callable(getattr(samples, "to", None)):
        return samples.to(device)
    return samples


def _moved(tensor: Tensor, device: torch.device) -> Tensor:
    if tensor.device == device:
        return tensor
    # Out of memory that is not pinned, a copy may read what has been overwritten by then: MPS does.
    return tensor.to(device, non_blocking=tensor.is_pinned())
