"""One update, top to bottom: micro-batches in, gradients added up, weights stepped, losses out."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from engine.training.averaging.totals import divide_gradients, divisor, scaled
from engine.training.data.sources import SampleSource
from engine.training.model import Objective
from engine.training.schedule import Batch

Trained = tuple[Batch, Tensor, Tensor | None]
"""A batch that was trained, its loss, and the weight of that unless its samples are."""


def train(
    schedule: Iterable[Batch],
    source: SampleSource,
    objective: Objective,
    optimizer: torch.optim.Optimizer,
) -> Iterator[Trained]:
    """Train as scheduled; yield each batch with its loss, and its weight, once it is done.

    Gradients are weighted by what the loss averages over: k batches of b give the gradient of one
    of k·b, also where a batch or a group is short. Shares by samples are known beforehand, and the
    weight is None; else what was added up is divided once the group is whole. All stays on the
    device; nothing here waits for it. The caller may pause between any two batches, or leave the
    rest.
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
            optimizer.step()
            objective.zero_grad()
        yield batch, batch_loss, batch_weight
