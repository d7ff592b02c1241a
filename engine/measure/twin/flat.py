"""Gradients of a model as one vector, added up in place by the backward pass itself."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def flat(tensors: Sequence[Tensor]) -> Tensor:
    """The numbers of all tensors, one after the other."""
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


class FlatGradient:
    """A vector that backward passes add the gradients of some parameters to.

    While they run, the parameters' gradients are its parts, so that no other copy is made. A
    parameter that the loss does not depend on has zeros.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], vector: Tensor) -> None:
        """`vector`: as many numbers as the parameters have; what is added is added to them."""
        self.vector = vector
        self._parameters = parameters
        self._parts = tuple(
            part.view(parameter.shape)
            for part, parameter in zip(
                torch.split(vector, [parameter.numel() for parameter in parameters]),
                parameters,
                strict=True,
            )
        )

    def add(self, loss: Tensor) -> None:
        """Add the gradients of a loss, and free its graph."""
        for part, parameter in zip(self._parts, self._parameters, strict=True):
            parameter.grad = part if parameter.dtype == part.dtype else None
        loss.backward()  # type: ignore[no-untyped-call]
        for part, parameter in zip(self._parts, self._parameters, strict=True):
            if parameter.dtype != part.dtype and parameter.grad is not None:
                part += parameter.grad
            parameter.grad = None
