"""One update, top to bottom: micro-batches in, gradients added up, weights stepped, losses out."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from engine.training.data.sources import SampleSource
from engine.training.model import Objective
from engine.training.schedule import Batch


def train(
    schedule: Iterable[Batch],
    source: SampleSource,
    objective: Objective,
    optimizer: torch.optim.Optimizer,
) -> Iterator[tuple[Batch, Tensor]]:
    """Train as scheduled, and yield each batch with its mean loss once it is done.

    Gradients are weighted by samples: k batches of b give the gradient of one of k·b, also where a
    batch or a group is short. Losses stay on the device; nothing here waits for it. The caller
    may pause between any two batches, or leave the rest.
    """
    for batch in schedule:
        for micro_batch in batch.micro_batches:
            loss = objective.loss(source.take(micro_batch.start, micro_batch.stop))
            _weighted(loss, micro_batch.weight).backward()  # type: ignore[no-untyped-call]
            loss = _weighted(loss.detach(), micro_batch.batch_share)
            if micro_batch.start == batch.start:
                batch_loss = loss
            else:
                batch_loss += loss
        if batch.closes_group:
            optimizer.step()
            objective.zero_grad()
        yield batch, batch_loss


def _weighted(loss: Tensor, weight: float) -> Tensor:
    """The loss times its weight; untouched where that is 1, which saves two kernels a batch."""
    return loss if weight == 1 else loss * weight
