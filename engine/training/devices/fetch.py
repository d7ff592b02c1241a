"""Numbers fetched from a device, also from one whose memory is full."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.training.devices.errors import is_out_of_memory


def fetched(vectors: Sequence[Tensor], scalars: Sequence[Tensor]) -> NDArray[np.float32]:
    """The numbers of vectors, then scalars, fetched at once, or one by one if there is no room."""
    try:
        parts = [*vectors, torch.stack([*scalars])] if scalars else vectors
        numbers = (torch.cat([*parts]) if len(parts) > 1 else parts[0]).float().cpu()  # waits
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        values = [number for each in vectors for number in each.tolist()]
        values += [number.item() for number in scalars]
        numbers = torch.tensor(values, dtype=torch.float32)
    array: NDArray[np.float32] = numbers.numpy()
    return array
