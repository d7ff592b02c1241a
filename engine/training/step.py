"""One update from top to bottom: micro-batches, accumulated gradients, optimiser step, losses."""

from collections.abc import Callable, Iterable, Iterator

from torch import Tensor

from engine.training.averaging.totals import divide_gradients, divisor, scaled
from engine.training.data.sources import Samples, SampleSource
from engine.training.devices.errors import raise_in_step
from engine.training.model import Objective
from engine.training.schedule import Batch

Trained = tuple[Batch, Tensor, Tensor | None]
"""A trained batch, its loss, and the weight of the loss; None if that is its number of samples."""


def train(
    schedule: Iterable[Batch],
    source: SampleSource,
    objective: Objective,
    step: Callable[[], object],
    forward: Callable[[Samples], tuple[Tensor, Tensor | None]],
    scale: Tensor | None = None,
) -> Iterator[Trained]:
    """Train as scheduled; after each batch, yield it with its loss and the weight of the loss.

    Gradients are weighted by what the loss averages over, so that k batches of b samples give the
    gradient of one batch of k·b, even if a batch or a group is short. For averages over samples
    the shares are known beforehand, and the weight is None; otherwise the gradients are divided
    once the group is complete. Nothing here waits for the device. The caller may pause between
    any two batches. `step` updates the weights; `scale` multiplies the gradients of fp16.
    """
    group_weights: list[Tensor] = []
    for batch in schedule:
        for micro_batch in batch.micro_batches:
            loss, weight = forward(source.take(micro_batch.start, micro_batch.stop))
            scaled(loss, micro_batch.weight, weight).backward(scale)  # type: ignore[no-untyped-call]
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
                step()
            except Exception as error:
                raise_in_step(error)
            objective.zero_grad()
        yield batch, batch_loss, batch_weight
