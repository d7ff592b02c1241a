"""Evaluates a model's loss and metrics on a whole data set; what can be read from one in training.

Does not affect training.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from engine.problem import Problem
from engine.settings import Resolved
from engine.training.averaging.totals import Mean
from engine.training.data.sources import EvaluatedData, SampleSource
from engine.training.devices.errors import is_out_of_memory
from engine.training.devices.memory import release_memory
from engine.training.model import Objective
from engine.training.pieces import piece_size
from engine.training.recipe.recipe import Recipe
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


class TrainedModel:
    """The model of a training between two slices, to be evaluated and inspected."""

    problem: Problem
    objective: Objective
    recipe: Recipe
    source: SampleSource
    validation: SampleSource | None
    resolved: Resolved
    micro_batch: int
    """Largest number of samples in one forward pass; NO_LIMIT for whole batches."""

    def has_finite_weights(self) -> bool:
        """True if every weight is finite; waits for the device."""
        return self.objective.has_finite_weights()

    def weights(self) -> NDArray[np.float32]:
        """The trained parameters, concatenated into a vector."""
        flat = torch.cat([each.detach().reshape(-1) for each in self.objective.parameters])
        copied: NDArray[np.float32] = flat.float().cpu().numpy()
        return copied

    def full_loss(self) -> float:
        """The loss over all n training samples at the current weights, in eval mode."""
        return self.scores_on(self.source, {}).loss

    def validate(self) -> Scores | None:
        """Loss and metrics on the held-out data, in eval mode; None if there are no such data."""
        if self.validation is None:
            return None
        return self.scores_on(self.validation, self.problem.metrics)

    def scores_on(self, source: EvaluatedData, metrics: Mapping[str, Metric]) -> Scores:
        """Loss and metrics on a data set or a part of it, in eval mode."""
        batch, most = self.resolved.batch_size, self.micro_batch
        with self.recipe.precision():
            return evaluate(self.objective, source, metrics, batch=batch, most=most)
