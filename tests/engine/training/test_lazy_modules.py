"""Lazy modules: their weights are there before training counts them, the same for each seed."""

import pytest
import torch
from torch import nn

from engine.problem import Problem
from engine.problems.trial import try_out
from engine.settings import VariantSettings
from engine.training.trainer import Trainer

CPU = torch.device("cpu")


def lazy() -> Problem:
    inputs = torch.randn(40, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    return Problem(
        train=(inputs, torch.arange(40) % 2),
        model=lambda: nn.Sequential(
            nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(2)
        ),
        loss=nn.functional.cross_entropy,
    )


def test_a_trial_counts_their_weights() -> None:
    assert try_out(lazy(), 0, CPU).parameters == 4 * 3 * 9 + 4 + 2 * 4 + 4 * 36 * 2 + 2


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_they_train_and_the_seed_fixes_them(optimizer: str) -> None:
    def weights(seed: int, batch_size: int) -> torch.Tensor:
        settings = VariantSettings(batch_size=batch_size, optimizer=optimizer)
        trainer = Trainer(lazy(), settings, seed, CPU)
        found = nn.utils.parameters_to_vector(trainer.model.parameters()).detach().clone()
        trainer.advance(2)
        return found

    assert torch.equal(weights(1, 8), weights(1, 20))
    assert not torch.equal(weights(1, 8), weights(2, 8))
