"""A copy of a model at fixed weights: its loss, gradients and curvature on the training data.

The copy is in eval mode, as for the full loss, and the random state is restored after use, so that
nothing done here affects training. Everything is computed in pieces, to bound memory.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.measure.batchnorm import Normalising
from engine.measure.steps import Steps
from engine.training.averaging.totals import Mean, divisor
from engine.training.data.sources import SampleSource
from engine.training.model import Objective
from engine.training.trainer import Trainer

_PIECE: Final = 1024
"""Largest number of samples in one forward and backward pass."""


class Probe:
    """A copy of a model at its current weights, and samples of a data set in a given order."""

    def __init__(
        self, objective: Objective, source: SampleSource, samples: NDArray[np.int64], most: int
    ) -> None:
        """`samples` are indices; `most` is the largest number of samples in one pass."""
        self._objective = objective.copy()
        self._objective.model.eval()
        self._source = source
        self._order = samples
        self._piece = min(_PIECE, most)
        self._parameters = self._objective.parameters
        self._normalising = Normalising(self._objective.model)
        self.samples = len(samples)
        self.size = sum(parameter.numel() for parameter in self._parameters)
        """Number of trained parameters."""

    @classmethod
    def of(cls, trainer: Trainer, samples: NDArray[np.int64]) -> "Probe":
        """A copy of a trainer's current model, with these samples of its training set."""
        return cls(trainer.objective, trainer.source, samples, trainer.micro_batch)

    @property
    def model(self) -> torch.nn.Module:
        """The copy, in eval mode."""
        return self._objective.model

    @property
    def weights(self) -> Tensor:
        """The trained parameters, concatenated into a vector."""
        return _flat([parameter.detach() for parameter in self._parameters])

    def move(self, weights: Tensor) -> None:
        """Set the copy's weights."""
        torch.nn.utils.vector_to_parameters(weights.to(self._parameters[0]), self._parameters)

    @property
    def normalises(self) -> bool:
        """True if layers such as BatchNorm normalise by statistics gathered in training."""
        return bool(self._normalising)

    @property
    def remembers_more(self) -> bool:
        """True if training changes more of the model than weights and normalising statistics."""
        with _same_random_numbers(self._parameters[0].device):
            return not self._normalising.is_all(
                lambda: self._pass(0, min(self.samples, max(self._piece, 3)))
            )

    def renew_statistics(self) -> None:
        """Recompute the statistics of normalising layers from all samples."""
        # Piece sizes differ by one sample at most, and each piece has at least two samples.
        pieces = -(-self.samples // max(self._piece, 3))
        ends = [self.samples * place // pieces for place in range(pieces + 1)]

        def passes() -> None:
            for start, stop in pairwise(ends):
                self._pass(start, stop)

        with _same_random_numbers(self._parameters[0].device):
            self._normalising.renew(passes)

    def _pass(self, start: int, stop: int) -> None:
        self._objective.outcome(self._source.pick(self._order[start:stop]))

    def _loss(self, start: int, stop: int) -> tuple[Tensor, Tensor | None]:
        """Loss of these samples, with its graph unless under no_grad, and its weight."""
        return self._objective.weighed_loss(self._source.pick(self._order[start:stop]))

    def full_loss(self) -> float:
        """Loss of all samples; a sum is scaled up to the whole data set."""
        mean = Mean(is_sum=self._objective.average.is_sum)
        with _same_random_numbers(self._parameters[0].device), torch.no_grad():
            for start, stop in self._pieces(0, self.samples):
                mean.add(*self._loss(start, stop), stop - start)
        return mean.value * self._scale

    @property
    def _scale(self) -> float:
        """Factor from the loss of these samples to the loss of the whole data set; 1 for a mean."""
        return self._source.n / self.samples if self._objective.average.is_sum else 1.0

    def gradients(self, count: int, batch_size: int) -> Steps[Tensor]:
        """The mean gradients of the first `count` batches of `batch_size`, shape (count, size).

        If the loss is a sum, they are divided by the number of samples.
        """
        rows = torch.zeros(
            count, self.size, dtype=self._parameters[0].dtype, device=self._parameters[0].device
        )
        for number, row in enumerate(rows):
            weights = []
            for start, stop in self._pieces(number * batch_size, (number + 1) * batch_size):
                with _same_random_numbers(row.device):
                    loss, weight = self._loss(start, stop)
                    part = torch.autograd.grad(loss, self._parameters, allow_unused=True)
                row += self._joined(part) * self._share(weight, stop - start, batch_size)
                weights.append(weight)
                yield
            row /= batch_size if self._objective.average.is_sum else _divisor(weights)
        return rows

    def _share(self, weight: Tensor | None, size: int, total: int) -> float | Tensor:
        """The factor of a piece in the loss over `total` samples, before the sum is divided."""
        if weight is not None:
            return weight
        return 1.0 if self._objective.average.is_sum else size / total

    def hessian_product(self, vector: Tensor) -> Steps[Tensor]:
        """The product of a vector and the Hessian of the loss of all samples (Pearlmutter 1994)."""
        result = torch.zeros_like(vector)
        weights = []
        for start, stop in self._pieces(0, self.samples):
            with _same_random_numbers(vector.device):
                loss, weight = self._loss(start, stop)
                slope = torch.autograd.grad(
                    loss, self._parameters, create_graph=True, allow_unused=True
                )
                along = self._joined(slope) @ vector
                if along.requires_grad:  # a loss that is linear in all weights has no curvature
                    part = torch.autograd.grad(along, self._parameters, allow_unused=True)
                    share = self._share(weight, stop - start, self.samples)
                    result += self._joined(part) * share
            weights.append(weight)
            yield
        return result * self._scale / _divisor(weights)

    def _pieces(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        for at in range(start, stop, self._piece):
            yield at, min(at + self._piece, stop)

    def _joined(self, parts: tuple[Tensor | None, ...]) -> Tensor:
        """The gradients as one vector, with zeros for parameters that the loss does not use."""
        return _flat(
            [
                torch.zeros_like(parameter) if part is None else part
                for part, parameter in zip(parts, self._parameters, strict=True)
            ]
        )


def _divisor(weights: list[Tensor | None]) -> float | Tensor:
    """The divisor of a sum over pieces: their total weight, or 1 if they have no weights."""
    known = [weight for weight in weights if weight is not None]
    return divisor(known) if known else 1.0


def _flat(tensors: list[Tensor]) -> Tensor:
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


@contextmanager
def _same_random_numbers(device: torch.device) -> Iterator[None]:
    """Restore the generators' states afterwards, which costs 10 µs on the CPU."""
    with torch.random.fork_rng([device] if device.type == "cuda" else [], device_type="cuda"):
        yield
