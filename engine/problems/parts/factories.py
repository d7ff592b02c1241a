"""Factories for the networks of gdtui's own problems, as plain data without code.

A loader hands a factory over to the workers; see engine/problems/handover.
"""

import msgspec
import torch
from torch import Tensor, nn

from engine.problems.parts.networks import MLP, SmallCNN, Standardised
from engine.problems.parts.transformer import CharTransformer


class LinearFactory(msgspec.Struct, frozen=True, kw_only=True, tag="linear"):
    """Makes one linear layer."""

    features: int
    outputs: int

    def __call__(self) -> nn.Module:
        """Draws weights from torch's global generator, as do all factories below."""
        return nn.Linear(self.features, self.outputs)


class MLPFactory(msgspec.Struct, frozen=True, kw_only=True, tag="mlp"):
    """Makes an MLP."""

    features: int
    hidden: tuple[int, ...]
    outputs: int

    def __call__(self) -> nn.Module:
        return MLP(self.features, self.hidden, self.outputs)


class CNNFactory(msgspec.Struct, frozen=True, kw_only=True, tag="cnn"):
    """Makes a small CNN."""

    channels: int
    height: int
    width: int
    classes: int

    def __call__(self) -> nn.Module:
        return SmallCNN(self.channels, self.height, self.width, self.classes)


class TransformerFactory(msgspec.Struct, frozen=True, kw_only=True, tag="transformer"):
    """Makes a transformer over this many distinct characters."""

    characters: int

    def __call__(self) -> nn.Module:
        return CharTransformer(self.characters)


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """A float32 tensor as plain data."""

    shape: tuple[int, ...]
    values: bytes

    @classmethod
    def of(cls, tensor: Tensor) -> "Statistics":
        values = tensor.detach().cpu().float().contiguous().numpy()
        return cls(shape=values.shape, values=values.tobytes())

    @property
    def tensor(self) -> Tensor:
        """A new tensor with a copy of the values."""
        return torch.frombuffer(bytearray(self.values), dtype=torch.float32).reshape(self.shape)


class StandardisedFactory(msgspec.Struct, frozen=True, kw_only=True, tag="standardised"):
    """Makes a network whose inputs are scaled by (x − mean) ÷ std."""

    mean: Statistics
    std: Statistics
    inner: LinearFactory | MLPFactory | CNNFactory

    def __call__(self) -> nn.Module:
        return Standardised(self.mean.tensor, self.std.tensor, self.inner())


AnyFactory = LinearFactory | MLPFactory | CNNFactory | TransformerFactory | StandardisedFactory
