"""Made-up token sequences of different lengths for a tiny language model."""

from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset, IterableDataset

WORDS, LENGTH = 11, 9


def text(index: int) -> dict[str, Tensor]:
    """A text of 4 to 9 words, padded; padding has no target."""
    generator = torch.Generator().manual_seed(index)
    words = torch.randint(1, WORDS, (LENGTH,), generator=generator)
    labels = words.clone()
    labels[4 + index * 5 % 6 :] = -100
    return {"input_ids": words, "labels": labels}


class Texts(Dataset[Any]):
    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return text(index)


class TextStream(IterableDataset[Any]):
    """Texts without a known number."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __iter__(self) -> Any:
        return (text(index) for index in range(self._count))
