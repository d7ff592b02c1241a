"""Numbers fetched from a device, also from one whose memory is full."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.training.devices.errors import is_out_of_memory


def fetched(numbers: list[Tensor]) -> NDArray[np.float32]:
    """Scalars, fetched from their device at once, or one by one where it has no room for that."""
    try:
        fetched = torch.stack(numbers).float().cpu()  # waits for the device
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        fetched = torch.tensor([number.item() for number in numbers], dtype=torch.float32)
    array: NDArray[np.float32] = fetched.numpy()
    return array


def places_of_zeros(numbers: list[Tensor]) -> tuple[int, ...]:
    """The places of the scalars that are 0, fetched from their device."""
    return tuple(np.flatnonzero(fetched(numbers) == 0).tolist()) if numbers else ()
