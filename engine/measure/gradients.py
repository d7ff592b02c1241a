"""Sums over the gradients of batches that the noise scale is estimated from.

The sums are the squares |g|² and the products g·Σg. If all gradients fit in 64 MB, they are kept.
Otherwise each is computed twice: first to add it up, then to multiply it by the sum. Both ways are
exact, and the second holds two gradients in memory, whatever k is. A random projection would take
one pass, but it is off by about |g|²/√dimensions, which is not small compared to the |Σg|²/k² that
the noise scale divides by.
"""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.measure.model_copy import Probe
from engine.measure.noise import GradientSums
from engine.measure.steps import Steps

_KEPT_BYTES: Final = 1 << 26
"""Bytes of gradients that are kept side by side."""
_BLOCK: Final = 1 << 18
"""Elements of a vector that are converted to float64 at once."""


def gradient_sums(
    probe: Probe, count: int, batch_size: int, *, kept_bytes: int = _KEPT_BYTES
) -> Steps[GradientSums]:
    """Sums over the mean gradients of the first `count` batches of `batch_size`.

    `kept_bytes` is the most memory for gradients that are kept.
    """
    if passes(count, probe.gradient_bytes, kept_bytes=kept_bytes) == 1:
        return (yield from _at_once(probe, count, batch_size))
    return (yield from _in_two_passes(probe, count, batch_size))


def passes(count: int, gradient_bytes: int, *, kept_bytes: int = _KEPT_BYTES) -> int:
    """How often each of `count` gradients of so many bytes is computed: once or twice."""
    return 1 if count * gradient_bytes <= kept_bytes else 2


def _at_once(probe: Probe, count: int, batch_size: int) -> Steps[GradientSums]:
    rows = torch.zeros(count, probe.size, dtype=probe.kind, device=probe.device)
    for number, row in enumerate(rows):
        yield from probe.gradient(number, batch_size, probe.vector_of(row))
    products = np.zeros((count, count))
    for columns in torch.split(rows, _BLOCK, dim=1):
        part = _wide(columns)
        products += part @ part.T
        yield
    return GradientSums(squares=products.diagonal(), with_sum=products.sum(axis=1))


def _in_two_passes(probe: Probe, count: int, batch_size: int) -> Steps[GradientSums]:
    squares, with_sum, total = np.zeros(count), np.zeros(count), probe.zeros()
    gradient = probe.vector_of(probe.zeros())
    for number in range(count):
        yield from probe.gradient(number, batch_size, gradient)
        squares[number] = _inner(gradient.vector, gradient.vector)
        total += gradient.vector
    for number in range(count):
        yield from probe.gradient(number, batch_size, gradient)
        with_sum[number] = _inner(gradient.vector, total)
    return GradientSums(squares=squares, with_sum=with_sum)


def _inner(one: Tensor, other: Tensor) -> float:
    blocks = zip(torch.split(one, _BLOCK), torch.split(other, _BLOCK), strict=True)
    return sum(float(_wide(mine) @ _wide(theirs)) for mine, theirs in blocks)


def _wide(numbers: Tensor) -> NDArray[np.float64]:
    """The numbers in float64 on the host, since some devices lack that type."""
    wide: NDArray[np.float64] = numbers.cpu().double().numpy()
    return wide
