"""Problems as people have them: stand-ins for datasets and images that need no package."""

from collections import UserDict
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import Dataset


class BatchEncoding(UserDict[str, Any]):
    """A mapping that is no dict, with attributes, as a tokenizer of transformers returns."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self.data[name]
        except KeyError:
            raise AttributeError(name) from None


class HfDataset:
    """Rows of plain lists with a `shape` and `__getitems__`, as datasets.Dataset has them."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._rows = rows
        self.shape = len(rows), len(rows[0])

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self._rows[index]

    def __getitems__(self, indices: list[int]) -> list[dict[str, Any]]:
        return [self._rows[index] for index in indices]


class Image:
    """An image as Pillow has it: height × width (× channels) bytes behind numpy's interface."""

    def __init__(self, pixels: Any) -> None:
        self._pixels = np.asarray(pixels)
        self.size = self._pixels.shape[1::-1]

    @property
    def __array_interface__(self) -> Any:
        return self._pixels.__array_interface__

    def getbands(self) -> tuple[str, ...]:
        return ("L",) if self._pixels.ndim == 2 else ("R", "G", "B")


class Images(Dataset[Any]):
    """Images and classes as a dataset of torchvision gives them without a transform."""

    def __init__(
        self, n: int = 24, side: int = 6, ragged: bool = False, make: Callable[[Any], Any] = Image
    ) -> None:
        """`make`: an image of an array of bytes."""
        draws = np.random.default_rng(0)
        shapes = [(side + ragged * (k % 2), side, 3) for k in range(n)]
        self.pixels = [draws.integers(0, 256, shape).astype(np.uint8) for shape in shapes]
        self.classes = [k % 3 for k in range(n)]
        self._make = make

    def __len__(self) -> int:
        return len(self.classes)

    def __getitem__(self, index: int) -> Any:
        return self._make(self.pixels[index]), self.classes[index]


def sequences(n: int = 21) -> list[tuple[Tensor, float]]:
    """Sequences of 1 to 7 steps of two features, each with a target."""
    draws = torch.Generator().manual_seed(0)
    made = [torch.randn(1 + k * 5 % 7, 2, generator=draws, dtype=torch.float64) for k in range(n)]
    return [(each, float(each.sum().sin())) for each in made]


def padded(samples: list[tuple[Tensor, float]]) -> tuple[Tensor, Tensor, Tensor]:
    """Padded sequences, their lengths, the targets."""
    parts, targets = zip(*samples, strict=True)
    lengths = torch.tensor([len(each) for each in parts])
    return pad_sequence(parts, batch_first=True), lengths, torch.tensor(targets).double()


class Lstm(nn.Module):
    """The last step of each sequence, whatever its length."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(2, 4, batch_first=True).double()
        self.head = nn.Linear(4, 1).double()

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        _, (hidden, _) = self.lstm(packed)
        out: Tensor = self.head(hidden[-1]).squeeze(-1)
        return out
