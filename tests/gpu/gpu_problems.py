"""Problems for the checks on a GPU, each of which tries one part of that path.

`GDTUI_GPU_CHECK=small`, for a dry run on the CPU, makes the large ones small.
"""

import os
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import Dataset

from engine import Problem

IS_SMALL = os.environ.get("GDTUI_GPU_CHECK") == "small"
HIDDEN = 500 if IS_SMALL else 50_000
ACTIVATIONS = 1 << (10 if IS_SMALL else 24)


def _xy(n: int = 2048, features: int = 32) -> tuple[Tensor, Tensor]:
    x = torch.randn(n, features, generator=torch.Generator().manual_seed(0))
    return x, (x[:, 0] > 0).long()


def _linear() -> nn.Module:
    return nn.Linear(32, 2)


def tensors() -> Problem:
    """Data that may lie on the device or on the host."""
    return Problem(train=_xy(), model=_linear, loss=functional.cross_entropy)


class Rows(Dataset[Any]):
    """The same data, sample by sample."""

    def __init__(self) -> None:
        self.x, self.y = _xy()

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.x[index], self.y[index]


def dataset() -> Problem:
    """Data that are read by loaders, through pinned memory."""
    return Problem(train=Rows(), model=_linear, loss=functional.cross_entropy)


def weighted() -> Problem:
    """A loss with class weights, which must follow the model to the device."""
    loss = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 9.0]))
    return Problem(train=_xy(), model=_linear, loss=loss)


def dropout() -> Problem:
    """Draws from the device's generator: a seed gives the same losses, whatever is measured."""

    def model() -> nn.Module:
        return nn.Sequential(nn.Linear(32, 64), nn.Dropout(0.5), nn.ReLU(), nn.Linear(64, 2))

    return Problem(train=_xy(), model=model, loss=functional.cross_entropy)


class Recurrent(nn.Module):
    """An LSTM: cuDNN has no second derivatives, and no gradients in eval mode."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(4, 16, batch_first=True), nn.Linear(16, 2)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.head(self.lstm(x)[0][:, -1])
        return output


def lstm() -> Problem:
    """Sequences for a recurrent network."""
    x = torch.randn(512, 12, 4, generator=torch.Generator().manual_seed(0))
    y = (x.sum((1, 2)) > 0).long()
    return Problem(train=(x, y), model=Recurrent, loss=functional.cross_entropy)


class Autocast(nn.Module):
    """A model with autocast in its forward."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(32, 256), nn.GELU(), nn.Linear(256, 2))

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, torch.bfloat16):
            output: Tensor = self.layers(x)
        return output.float()


def bf16() -> Problem:
    """Half the precision in the layers alone."""
    return Problem(train=_xy(), model=Autocast, loss=functional.cross_entropy)


def assertion() -> Problem:
    """A class out of range beyond the first samples: a device-side assert in mid-training."""
    x, y = _xy()
    x[1000] = 1e3  # its class is made out of range where the kernel runs: labels are checked before
    return Problem(train=(x, y), model=_linear, loss=_out_of_range)


def _out_of_range(output: Tensor, target: Tensor) -> Tensor:
    return functional.cross_entropy(output, target + 7 * (output.abs().amax(1) > 100))


class Hungry(nn.Module):
    """Holds 64 MiB of activations a sample: 4,096 of them fit no card, 256 do."""

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.layer = nn.Parameter(torch.ones(1)), nn.Linear(32, 2)

    def forward(self, x: Tensor) -> Tensor:
        wide = (x.mean(1, keepdim=True) * self.scale).expand(-1, ACTIVATIONS)
        output: Tensor = self.layer(x) + 0 * wide.sin().mean(1, keepdim=True)
        return output


def hungry() -> Problem:
    """A model that runs out of memory with full batches."""
    return Problem(train=_xy(4096), model=Hungry, loss=functional.cross_entropy)


def wide() -> Problem:
    """100 million parameters: their copies, and what a run leaves on the disk."""

    def model() -> nn.Module:
        return nn.Sequential(nn.Linear(1024, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1000))

    return Problem(train=_xy(4096, 1024), model=model, loss=functional.cross_entropy)
