"""Sums over the gradients of large models, which are not kept."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from engine.measure.gradients import gradient_sums
from engine.measure.model_copy import Probe
from engine.measure.sharpness import sharpness
from engine.measure.steps import Steps, finish
from engine.problem import Problem
from engine.settings import VariantSettings
from engine.training.trainer import Trainer


class Watch(TorchDispatchMode):
    """The most bytes that results of operations take at once."""

    def __init__(self) -> None:
        super().__init__()
        self.peak = 0
        self._live: dict[int, tuple[StorageWeakRef, int]] = {}

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        for tensor in tree_iter(result):
            if isinstance(tensor, Tensor):
                reference = StorageWeakRef(tensor.untyped_storage())
                size = tensor.untyped_storage().nbytes()
                self._live[reference.cdata] = (reference, size)
        self._live = {key: held for key, held in self._live.items() if not held[0].expired()}
        self.peak = max(self.peak, sum(size for _, size in self._live.values()))
        return result


def large_probe() -> Probe:
    """A model with many more parameters than activations."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(128, 1000, generator=generator)
    problem = Problem(
        train=(inputs, inputs[:, :1]),
        model=lambda: nn.Sequential(nn.Linear(1000, 400), nn.Tanh(), nn.Linear(400, 1)),
        loss=nn.functional.mse_loss,
    )
    trainer = Trainer(problem, VariantSettings(batch_size=8), 0, torch.device("cpu"))
    return Probe.of(trainer, np.arange(128))


def peak_in_weights(probe: Probe, steps: Steps[object]) -> float:
    """Peak memory of the work, as a multiple of the weights."""
    with Watch() as watch:
        finish(steps)
    return watch.peak / probe.gradient_bytes


def test_gradients_that_are_not_kept_take_the_memory_of_a_few_whatever_their_number() -> None:
    probe = large_probe()
    assert peak_in_weights(probe, gradient_sums(probe, 20, 2, kept_bytes=0)) < 7
    assert peak_in_weights(probe, gradient_sums(probe, 20, 2)) > 20


def test_a_sharpness_takes_the_memory_of_a_few_gradients() -> None:
    probe = large_probe()
    assert peak_in_weights(probe, sharpness(probe.hessian_product, probe.random(0))) < 7.5
