"""One update from top to bottom: micro-batches, accumulated gradients, optimiser step, losses."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from engine.training.averaging.totals import divide_gradients, divisor, scaled
from engine.training.data.sources import SampleSource
from engine.training.devices.errors import raise_in_step
from engine.training.model import Objective
from engine.training.schedule import Batch

Trained = tuple[Batch, Tensor, Tensor | None]
"""A trained batch, its loss, and the weight of the loss; None if that is its number of samples."""


def train(
    schedule: Iterable[Batch],
    source: SampleSource,
    objective: Objective,
    optimizer: torch.optim.Optimizer,
) -> Iterator[Trained]:
    """Train as scheduled; after each batch, yield it with its loss and the weight of the loss.

    Gradients are weighted by what the loss averages over, so that k batches of b samples give the
    gradient of one batch of k·b, even if a batch or a group is short. For averages over samples
    the shares are known beforehand, and the weight is None; otherwise the accumulated gradients
    are divided once the group is complete. Everything stays on the device, and nothing here waits
    for it. The caller may pause between any two batches, or abandon the rest.
    """
    group_weights: list[Tensor] = []
    for batch in schedule:
        for micro_batch in batch.micro_batches:
            loss, weight = objective.weighed_loss(source.take(micro_batch.start, micro_batch.stop))
            scaled(loss, micro_batch.weight, weight).backward()  # type: ignore[no-untyped-call]
            loss = scaled(loss.detach(), micro_batch.batch_share, weight)
            if micro_batch.start == batch.start:
                batch_loss, batch_weight = loss, weight
            else:
                batch_loss = batch_loss + loss
                if batch_weight is not None and weight is not None:
                    batch_weight = batch_weight + weight
        if batch_weight is not None:
            batch_loss = batch_loss / divisor([batch_weight])
            group_weights.append(batch_weight)
        if batch.closes_group:
            divide_gradients(objective.parameters, group_weights)
            group_weights.clear()
            try:
                optimizer.step()
            except Exception as error:
                raise_in_step(error)
            objective.zero_grad()
        yield batch, batch_loss, batch_weight
