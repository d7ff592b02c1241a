"""Evaluates a model's loss and metrics on a whole data set.

Does not affect training.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
import torch

from engine.training.averaging.totals import Mean
from engine.training.data.sources import EvaluatedData
from engine.training.devices.errors import is_out_of_memory
from engine.training.devices.memory import release_memory
from engine.training.model import Objective
from engine.training.pieces import piece_size
from engine.training.schedule import NO_LIMIT

Metric = Callable[[Any, Any], Any]


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """Loss and metrics of a model on one data set."""

    loss: float
    metrics: dict[str, float] = {}


def evaluate(
    objective: Objective,
    source: EvaluatedData,
    metrics: Mapping[str, Metric],
    *,
    batch: int,
    most: int = NO_LIMIT,
) -> Scores:
    """Loss and metrics over all samples, of which at most `most` go into one forward pass.

    `batch` is the size of a training batch, which bounds the pieces of large samples, too. Pieces
    get smaller when memory runs out.
    """
    with eval_mode(objective.model):
        piece = min(most, piece_size(objective, source, min(batch, most)))
        while True:
            try:
                return _evaluate(objective, source, piece, metrics)
            except Exception as error:
                if not is_out_of_memory(error) or piece == 1:
                    raise
            release_memory(objective.device)
            piece = (piece + 1) // 2


def _evaluate(
    objective: Objective, source: EvaluatedData, piece: int, metrics: Mapping[str, Metric]
) -> Scores:
    mean = Mean(is_sum=objective.average.is_sum)
    means = {name: Mean() for name in metrics}
    for samples, size in source.sweep(piece):
        output, target = objective.outcome(samples)
        loss = objective.problem.loss(output, target)
        mean.add(*objective.weighed(loss, output, target), size)
        for name, metric in metrics.items():
            means[name].add(*value_and_weight(metric(output, target)), size)
    return Scores(loss=mean.value, metrics={name: each.value for name, each in means.items()})


def value_and_weight(measured: Any) -> tuple[Any, Any]:
    """The value and weight in what a metric returned for a batch; the weight may be None."""
    return measured if isinstance(measured, tuple) else (measured, None)


@contextmanager
def eval_mode(model: torch.nn.Module) -> Iterator[None]:
    """Eval mode without gradients; restores the random state, so later draws stay the same."""
    devices = {p.device for p in model.parameters() if p.device.type == "cuda"}
    model.eval()
    try:
        with torch.random.fork_rng([d.index or 0 for d in devices]), torch.no_grad():
            yield
    finally:
        model.train()
