"""Trains many seeds at once: the tensors of S seeds are stacked along a leading dimension.

At batch size 1, twenty models train in the time of one, since calls cost more than arithmetic. Each
model trains exactly as in a plain loop: the tests compare with such loops in float64.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count, islice
from typing import Final, TypeVar

import torch
from torch import Tensor, nn

from engine.jobs.messages import ReportProgress
from engine.settings import BatchSize
from engine.training.schedule import epoch_order

Step = TypeVar("Step")
_MOST_BETWEEN: Final = 100
"""Largest number of steps between two reports: a few hundredths of a second if they are short."""
_REPORTS: Final = 200
"""Fewest reports, if there are that many steps: when steps are few, they are long."""

Data = tuple[Tensor, ...]
"""Tensors of shape (S, n, …), with n samples for each seed."""
Losses = Callable[..., Tensor]
"""(parameters, *batch) -> the mean loss of each seed, shape (S,)."""


def place(device: torch.device) -> torch.device:
    """The device, or the CPU if the device has no float64 (Apple's MPS)."""
    return torch.device("cpu") if device.type == "mps" else device


def size_of(batch_size: BatchSize, n: int) -> int:
    """The number of samples in a batch."""
    return min(batch_size, n) if isinstance(batch_size, int) else n


def shuffled(data: Data, seeds: Sequence[int], epoch: int) -> Data:
    """Each seed's samples, in the order that training uses in this epoch (from 1)."""
    n = data[0].shape[1]
    order = torch.stack([torch.from_numpy(epoch_order(seed, epoch, n)) for seed in seeds])
    order = order.to(data[0].device)
    rows = torch.arange(len(seeds), device=order.device)[:, None]
    return tuple(tensor[rows, order] for tensor in data)


def epoch_batches(data: Data, seeds: Sequence[int], epoch: int, size: int) -> Iterator[Data]:
    """The batches of one epoch; the last is short if `size` does not divide n."""
    if size >= data[0].shape[1]:
        yield data  # a single batch holds all samples, always summed in the same order
        return
    yield from zip(
        *(torch.split(tensor, size, dim=1) for tensor in shuffled(data, seeds, epoch)), strict=True
    )


def batches(data: Data, seeds: Sequence[int], size: int, updates: int) -> Iterator[Data]:
    """The first `updates` batches, from as many epochs as needed."""
    every = (batch for epoch in count(1) for batch in epoch_batches(data, seeds, epoch, size))
    return islice(every, updates)


class CountedSteps:
    """Counts the steps of a whole experiment, and reports the progress towards `total`."""

    def __init__(self, progress: ReportProgress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0
        self._every = max(1, min(_MOST_BETWEEN, total // _REPORTS))

    def over(self, steps: Iterable[Step], what: str) -> Iterator[Step]:
        """Yield the steps unchanged, and count them."""
        for step in steps:
            if self._done % self._every == 0:
                self._progress(self._done / self._total, what)
            yield step
            self._done += 1


def descend(parameters: Sequence[Tensor], losses: Losses, batch: Data, lr: Tensor | float) -> None:
    """Take one step of plain SGD in place; `lr` is one number, or one per seed, shape (S,)."""
    # With respect to one seed's weights, the gradient of the sum is that of the seed's own loss.
    total = losses(parameters, *batch).sum()
    gradients = torch.autograd.grad(total, parameters)
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            if isinstance(lr, Tensor):
                parameter.sub_(gradient * lr.view(-1, *[1] * (gradient.dim() - 1)))
            else:
                parameter.sub_(gradient, alpha=lr)


def descended(start: Tensor, steps: Iterable[Data], losses: Losses, lr: float) -> Tensor:
    """End points of weights of shape (S, …) after plain SGD on these batches."""
    weights = start.clone().requires_grad_()
    for batch in steps:
        descend([weights], losses, batch, lr)
    return weights.detach()


def weights_of(models: Sequence[nn.Module], device: torch.device) -> list[Tensor]:
    """The parameters of models of the same shape, stacked in float64, ready to be trained."""
    rows = zip(*(model.parameters() for model in models), strict=True)
    return [
        torch.stack([p.detach().double() for p in row]).to(device).requires_grad_() for row in rows
    ]


def perceptron(parameters: Sequence[Tensor], inputs: Tensor) -> Tensor:
    """Linear layers with tanh between them: (S, b, features) -> (S, b, outputs).

    `parameters` are weight and bias of each layer in turn, in the order of nn.Sequential.
    """
    hidden = inputs
    for layer in range(0, len(parameters), 2):
        weight, bias = parameters[layer], parameters[layer + 1]
        hidden = torch.baddbmm(bias[:, None], hidden, weight.mT)
        if layer + 2 < len(parameters):
            hidden = hidden.tanh()
    return hidden
