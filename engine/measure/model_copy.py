"""A copy of a model at fixed weights: its loss, gradients and curvature on the training data.

The copy is in eval mode, as for the full loss, and the random state is restored after use, so that
nothing done here affects training. Everything is computed in pieces, to bound memory: gradients are
added up in one vector, and the activations of a piece take no more than the weights, or a few MB.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.measure.batchnorm import Normalising
from engine.measure.steps import Steps
from engine.measure.twin.copying import is_coarse, plain_copy, widen, widened
from engine.measure.twin.flat import FlatGradient, flat
from engine.measure.twin.kernels import PlainKernels
from engine.measure.twin.memory import (
    MeasureError,
    activation_bytes,
    check_room,
    room_for_activations,
    weight_bytes,
)
from engine.training.averaging.totals import Mean, divisor, scaled
from engine.training.data.sources import SampleSource
from engine.training.model import Objective
from engine.training.trainer import Trainer

_PIECE: Final = 1024
"""Largest number of samples in one forward and backward pass."""
_GRAPHS: Final = 3
"""Activations kept for a second derivative, as a multiple of those for a first one."""
_VECTORS: Final = 6
"""Vectors of the weights' size that a product holds: three of Lanczos's, and gradients."""


class Probe:
    """A copy of a model at its current weights, and samples of a data set in a given order."""

    def __init__(
        self, objective: Objective, source: SampleSource, samples: NDArray[np.int64], most: int
    ) -> None:
        """`samples` are indices; `most` is the largest number of samples in one pass."""
        self._source = source
        self._order = samples
        self.samples = len(samples)
        self._most = min(_PIECE, most)
        self._is_widened = False
        self._objective = self._copied(objective)
        self._parameters = self._objective.parameters
        self.device = self._parameters[0].device
        self._kernels = PlainKernels(self.model, self.device)
        self._normalising = Normalising(self.model)
        self.size = self._objective.size
        """Number of trained parameters."""

    @classmethod
    def of(cls, trainer: Trainer, samples: NDArray[np.int64]) -> "Probe":
        """A copy of a trainer's current model, with these samples of its training set."""
        return cls(trainer.objective, trainer.source, samples, trainer.micro_batch)

    def _copied(self, objective: Objective) -> Objective:
        """The objective with a copy of its model, in float32 if its forward accepts that."""
        twin = objective.with_model(plain_copy(objective.model))
        if not is_coarse(twin.model):
            return twin
        widen(twin.model)
        self._is_widened = True
        try:
            with _same_random_numbers(twin.parameters[0].device), torch.no_grad():
                twin.weighed_loss(self._picked(0, 1))
        except RuntimeError:  # its forward insists on the other type
            self._is_widened = False
            return objective.with_model(plain_copy(objective.model))
        return twin

    @property
    def model(self) -> nn.Module:
        """The copy, in eval mode."""
        return self._objective.model

    @property
    def weights(self) -> Tensor:
        """The trained parameters, concatenated into a vector."""
        return flat([parameter.detach() for parameter in self._parameters])

    def zeros(self) -> Tensor:
        """A vector of zeros of the weights' size."""
        return torch.zeros(self.size, dtype=self.kind, device=self.device)

    @property
    def kind(self) -> torch.dtype:
        """The type of such vectors: float32, or wider if the weights are."""
        kind = torch.float32
        for parameter in self._parameters:
            kind = torch.promote_types(kind, parameter.dtype)
        return kind

    @property
    def gradient_bytes(self) -> int:
        """Bytes of such a vector."""
        return self.size * self.kind.itemsize

    def vector_of(self, numbers: Tensor) -> FlatGradient:
        """A gradient that is added up in this vector of the weights' size."""
        return FlatGradient(self._parameters, numbers)

    def move(self, weights: Tensor) -> None:
        """Set the copy's weights."""
        torch.nn.utils.vector_to_parameters(weights.to(self._parameters[0]), self._parameters)

    def random(self, seed: int) -> Tensor:
        """A random vector of the weights' size, the same on every device."""
        drawn = torch.randn(self.size, generator=torch.Generator().manual_seed(seed))
        return drawn.to(self.zeros())

    def part(self, count: int) -> "Probe":
        """The same copy of the model, with the first `count` samples."""
        part = copy.copy(self)
        part._order = self._order[:count]
        part.samples = len(part._order)
        return part

    # --- Layers that keep statistics ------------------------------------------------------------

    @property
    def normalises(self) -> bool:
        """True if layers such as BatchNorm normalise by statistics gathered in training."""
        return bool(self._normalising)

    @property
    def remembers_more(self) -> bool:
        """True if training changes more of the model than weights and normalising statistics."""
        with _same_random_numbers(self.device):
            return not self._normalising.is_all(
                lambda: self._pass(0, min(self.samples, max(self._most, 3)))
            )

    def renew_statistics(self) -> None:
        """Recompute the statistics of normalising layers from all samples."""
        # Piece sizes differ by one sample at most, and each piece has at least two samples.
        pieces = -(-self.samples // max(self._most, 3))
        ends = [self.samples * place // pieces for place in range(pieces + 1)]

        def passes() -> None:
            for start, stop in pairwise(ends):
                self._pass(start, stop)

        with _same_random_numbers(self.device):
            self._normalising.renew(passes)

    def _pass(self, start: int, stop: int) -> None:
        self._objective.outcome(self._picked(start, stop))

    # --- The loss -------------------------------------------------------------------------------

    def _picked(self, start: int, stop: int) -> Any:
        samples = self._source.pick(self._order[start:stop])
        return widened(samples) if self._is_widened else samples

    def _loss(self, start: int, stop: int) -> tuple[Tensor, Tensor | None]:
        """Loss of these samples, with its graph unless under no_grad, and its weight."""
        return self._objective.weighed_loss(self._picked(start, stop))

    def full_loss(self) -> float:
        """Loss of all samples; a sum is scaled up to the whole data set."""
        mean = Mean(is_sum=self._objective.average.is_sum)
        with self._undisturbed(), torch.no_grad():
            for start, stop in _pieces(0, self.samples, self._most):
                mean.add(*self._loss(start, stop), stop - start)
        return mean.value * self._scale

    @property
    def _scale(self) -> float:
        """Factor from the loss of these samples to the loss of the whole data set; 1 for a mean."""
        return self._source.n / self.samples if self._objective.average.is_sum else 1.0

    def _share(self, size: int, total: int) -> float:
        """The factor of a piece in the loss over `total` samples, unless the loss has a weight."""
        return 1.0 if self._objective.average.is_sum else size / total

    # --- Derivatives ----------------------------------------------------------------------------

    def gradient(self, batch: int, batch_size: int, total: FlatGradient) -> Steps[None]:
        """Compute the mean gradient of one batch of the samples into `total`.

        If the loss is a sum, it is divided by the number of samples.
        """
        weights = []
        total.vector.zero_()
        for start, stop in _pieces(batch * batch_size, (batch + 1) * batch_size, self.piece):
            with self._undisturbed():
                loss, weight = self._loss(start, stop)
                total.add(scaled(loss, self._share(stop - start, batch_size), weight))
            weights.append(weight)
            yield
        total.vector /= batch_size if self._objective.average.is_sum else _divisor(weights)

    def hessian_product(self, vector: Tensor) -> Steps[Tensor]:
        """The product of a vector and the Hessian of the loss of all samples (Pearlmutter 1994)."""
        result = self.vector_of(torch.zeros_like(vector))
        weights = []
        for start, stop in _pieces(0, self.samples, self.piece_of_products):
            with self._undisturbed(twice=True):
                loss, weight = self._loss(start, stop)
                along = self._derivative(loss, vector)
                if along.requires_grad:  # a loss that is linear in all weights has no curvature
                    result.add(scaled(along, self._share(stop - start, self.samples), weight))
            weights.append(weight)
            yield
        return result.vector.mul_(self._scale).div_(_divisor(weights))

    def _derivative(self, loss: Tensor, vector: Tensor) -> Tensor:
        """Derivative of a loss along a vector, with its graph but without the gradient."""
        slopes = torch.autograd.grad(loss, self._parameters, create_graph=True, allow_unused=True)
        parts = torch.split(vector, [parameter.numel() for parameter in self._parameters])
        along = vector.new_zeros(())
        for slope, part in zip(slopes, parts, strict=True):
            if slope is not None:
                along = along + slope.reshape(-1).to(vector.dtype) @ part
        return along

    @property
    def piece(self) -> int:
        """Samples in one piece of a gradient."""
        return max(min(self._most, self._room // self._sample_bytes), 1)

    @cached_property
    def piece_of_products(self) -> int:
        """Samples in one piece of a product. Raises MeasureError if the memory is not there."""
        if is_coarse(self.model):
            raise MeasureError(
                "its forward takes 16-bit weights only, which are too coarse for second derivatives"
            )
        each = _GRAPHS * self._counted_bytes(twice=True)
        piece = max(min(self._most, self._room // each), 1)
        check_room(_VECTORS * weight_bytes(self.model) + piece * each, self.device)
        return piece

    @cached_property
    def _sample_bytes(self) -> int:
        """Bytes of one sample's activations that a gradient needs."""
        return self._counted_bytes(twice=False)

    def _counted_bytes(self, *, twice: bool) -> int:
        with self._undisturbed(twice=twice):
            return activation_bytes(lambda count: self._loss(0, count)[0], self.model, self.samples)

    @cached_property
    def _room(self) -> int:
        return room_for_activations(self.model, self.device)

    @contextmanager
    def _undisturbed(self, *, twice: bool = False) -> Iterator[None]:
        """Restore the random state afterwards; use kernels that can be differentiated."""
        with _same_random_numbers(self.device), self._kernels.in_use(twice=twice):
            yield


def _pieces(start: int, stop: int, size: int) -> Iterator[tuple[int, int]]:
    for at in range(start, stop, size):
        yield at, min(at + size, stop)


def _divisor(weights: list[Tensor | None]) -> float | Tensor:
    """The divisor of a sum over pieces: their total weight, or 1 if they have no weights."""
    known = [weight for weight in weights if weight is not None]
    return divisor(known) if known else 1.0


@contextmanager
def _same_random_numbers(device: torch.device) -> Iterator[None]:
    """Restore the generators' states afterwards, which costs 10 µs on the CPU."""
    with torch.random.fork_rng([device] if device.type == "cuda" else [], device_type="cuda"):
        yield
