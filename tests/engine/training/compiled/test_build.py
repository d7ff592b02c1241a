"""Builds: their identity, and the size of what is compiled."""

from typing import Any

import pytest
import torch
from torch import nn
from traced_blocks import traced

from engine.problem import Problem
from engine.settings import VariantSettings
from engine.training.compiled.build import updates_in_time
from engine.training.compiled.compiler import key_of
from engine.training.trainer import Trainer

INPUTS = torch.randn(12, 3, generator=torch.Generator().manual_seed(0))
CLASSES = torch.arange(12) % 3


def key(seed: int = 0, first_weight: float = 1.0, **settings: Any) -> str:
    """The identity of the program for a classification with these class weights."""
    weights = torch.tensor([first_weight, 1.0, 1.0])
    problem = Problem(
        train=(INPUTS, CLASSES),
        model=lambda: nn.Linear(3, 3),
        loss=nn.CrossEntropyLoss(weight=weights),
    )
    chosen = VariantSettings(**{"batch_size": 4, "momentum": 0.9, **settings})
    trainer = Trainer(problem, chosen, seed, torch.device("cpu"))
    trainer.advance(1)
    spec, made = traced(trainer)
    return key_of(made, spec)


def test_programs_are_shared_by_seeds_lrs_and_momentums() -> None:
    assert key() == key(seed=1, lr=0.5, momentum=0.3)


@pytest.mark.parametrize(
    "other", [{"first_weight": 2.0}, {"batch_size": 2}, {"momentum": 0.0}, {"clip": 1.0}]
)
def test_everything_that_shapes_a_program_is_part_of_its_identity(other: dict[str, Any]) -> None:
    assert key(**other) != key()


@pytest.mark.parametrize(
    ("updates", "operations", "fewer"),
    [(31, 32, 31), (22, 66, 11), (16, 70, 8), (10, 130, 5), (13, 100, 10), (16, 5000, 1)],
)
def test_blocks_of_many_operations_have_fewer_updates(
    updates: int, operations: int, fewer: int
) -> None:
    assert updates_in_time(updates, operations) == fewer
    assert updates_in_time(fewer, operations) == fewer, "so that a repetition finds the same"
