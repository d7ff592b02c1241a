"""The sharpness of the shipped transformer, against an implementation of its own."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from engine.measure.model_copy import Probe
from engine.measure.sharpness import sharpness
from engine.measure.steps import finish
from engine.problem import Problem
from engine.problems import registry
from engine.settings import VariantSettings
from engine.training.trainer import Trainer

SAMPLES = np.array([7, 1234, 4321])
STEP = 1e-5
"""Along a vector of length 1: a derivative to about ten digits."""


def independent(problem: Problem, weights: np.ndarray) -> float:
    """Top eigenvalue by power iteration in float64, on differences of gradients."""
    model = problem.model().double().eval()
    inputs, target = (tensor[torch.from_numpy(SAMPLES)] for tensor in problem.train)
    at = torch.from_numpy(weights).double()

    def gradient(point: torch.Tensor) -> torch.Tensor:
        torch.nn.utils.vector_to_parameters(point, model.parameters())
        loss = functional.cross_entropy(model(inputs).flatten(0, 1), target.flatten())
        parts = torch.autograd.grad(loss, [*model.parameters()])
        return torch.cat([part.reshape(-1) for part in parts])

    vector = torch.randn(len(at), generator=torch.Generator().manual_seed(1)).double()
    value, before = 0.0, math.inf
    while abs(value - before) > 1e-5 * abs(value):
        vector /= vector.norm()
        product = (gradient(at + STEP * vector) - gradient(at - STEP * vector)) / (2 * STEP)
        before, value, vector = value, float(product @ vector), product
    return value


def test_the_sharpness_of_char_lm_is_that_of_another_implementation_to_a_thousandth() -> None:
    problem = registry.load("char-lm", 0)
    trainer = Trainer(problem, VariantSettings(batch_size=8, lr=0.1), 0, torch.device("cpu"))
    trainer.advance(5)
    probe = Probe.of(trainer, SAMPLES)
    found = finish(sharpness(probe.hessian_product, probe.zeros().normal_(), len(SAMPLES)))
    assert found.is_reliable
    assert found.value == pytest.approx(independent(problem, trainer.weights()), rel=1e-3)
