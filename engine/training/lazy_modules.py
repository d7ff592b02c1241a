"""Lazy modules of torch, such as LazyLinear: makes their weights before anything counts them."""

from typing import Final

import torch
from torch.nn.parameter import is_lazy

from engine.training.data.sources import SampleSource
from engine.training.evaluate import eval_mode
from engine.training.model import Objective

_SAMPLES: Final = 2


def make_weights(objective: Objective, source: SampleSource) -> None:
    """Make the weights that wait for a first batch, drawn from torch's global generator."""
    model = objective.model
    if not any(map(is_lazy, (*model.parameters(), *model.buffers()))):
        return
    samples, _ = next(iter(source.sweep(min(_SAMPLES, source.n))))
    drawn = torch.get_rng_state()
    with eval_mode(model):  # which restores the state: weights drawn later would repeat these
        objective.outcome(samples)
        drawn = torch.get_rng_state()
    torch.set_rng_state(drawn)
