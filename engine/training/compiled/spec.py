"""The sizes and settings that shape the program of a block; every other number is fed to it."""

from typing import Any, Final

import msgspec
import torch
from msgspec.structs import replace
from torch import Tensor

from engine.settings import Precision, Resolved, VariantSettings

_ANY_MOMENTUM: Final = 0.5
_ANY_CLIP: Final = 0.7310585786300049
"""A number that occurs nowhere else: where the step uses it, the program uses the fed norm."""


class UnsuitedError(Exception):
    """A training that is not compiled; the message gives the reason in plain words."""


def first_line(error: Exception) -> str:
    """The type of an error and the first line of its message, cut short."""
    line = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {line}"[:200]


class TensorShape(msgspec.Struct, frozen=True):
    """The form of a tensor that a program takes."""

    size: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: str

    @classmethod
    def of(cls, tensor: Tensor) -> "TensorShape":
        """The form of this tensor."""
        return cls(tuple(tensor.shape), tensor.stride(), str(tensor.dtype))


class BlockSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A block: `updates` whole updates of `accumulation_steps` batches of `batch_size` samples.

    Two trainings of one problem with equal specs use the same program.
    """

    batch_size: int
    accumulation_steps: int
    updates: int
    samples: tuple[TensorShape, ...]
    """The tensors of a whole block of samples, the target last, or in the order of their names."""
    names: tuple[str, ...] = ()
    """The names of these tensors, if samples are dicts."""
    optimizer: str
    has_momentum: bool
    """True if the settings give momentum; its value is fed."""
    has_clip: bool
    """True if gradients are clipped; the norm is fed."""
    precision: Precision
    device: str
    """The type of the device."""
    threads: int
    """Threads within one operation."""

    short: int = 0
    """Samples of the only group if that is a short one, which ends an epoch; 0 for whole groups."""

    @property
    def size(self) -> int:
        """Samples of a block."""
        return self.short or self.updates * self.accumulation_steps * self.batch_size

    @property
    def resolved(self) -> Resolved:
        """The settings for cutting a block's samples into batches."""
        return self.settings.resolve(self.accumulation_steps * self.batch_size)

    @property
    def settings(self) -> VariantSettings:
        """Settings that give this block; lr and momentum stand for any others."""
        return VariantSettings(
            batch_size=self.batch_size,
            accumulation_steps=self.accumulation_steps,
            optimizer=self.optimizer,
            momentum=_ANY_MOMENTUM if self.has_momentum else 0.0,
            clip=_ANY_CLIP if self.has_clip else None,
            precision=self.precision,
        )

    def with_updates(self, updates: int) -> "BlockSpec":
        """A block of so many updates instead."""
        return self._for(self.size // self.updates * updates, updates=updates)

    def with_short_group(self, samples: int) -> "BlockSpec":
        """A block of one group of so few samples instead."""
        return self._for(samples, updates=1, short=samples)

    def _for(self, rows: int, **changed: int) -> "BlockSpec":
        samples = [replace(each, size=(rows, *each.size[1:])) for each in self.samples]
        return replace(self, samples=tuple(samples), **changed)

    def tensors(self, samples: Any) -> list[Tensor]:
        """The tensors of a block's samples, in the order of the program's inputs."""
        return [samples[name] for name in self.names] if self.names else [*samples]

    def fitting(self, samples: Any) -> list[Tensor]:
        """The tensors of a whole block of samples. Raises UnsuitedError for another form."""
        tensors = self.tensors(samples)
        for tensor, shape in zip(tensors, self.samples, strict=True):
            if tensor.shape != shape.size or str(tensor.dtype) != shape.dtype:
                raise UnsuitedError("the samples have another form than the compiled ones")
        return tensors

    def samples_of(self, tensors: list[Tensor]) -> Any:
        """Samples in the form that the problem has; the inverse of `tensors`."""
        return dict(zip(self.names, tensors, strict=True)) if self.names else tensors


def intra_op_threads(device: torch.device) -> int:
    """Threads that an operation uses on the host; a program for a GPU does not depend on them."""
    return torch.get_num_threads() if device.type == "cpu" else 1
