"""Models that torch trains with kernels or code that it cannot differentiate twice."""

import sys
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from weighted_losses import PROBLEMS

from engine.measure.model_copy import Probe
from engine.measure.steps import finish
from engine.measure.twin.kernels import PlainKernels
from engine.problem import Problem
from engine.settings import VariantSettings
from engine.training.trainer import Trainer

CPU = torch.device("cpu")


class Recurrent(nn.Module):
    """A recurrent layer, and a head on its last output."""

    def __init__(self, kind: type[nn.RNNBase]) -> None:
        super().__init__()
        self.layer, self.head = kind(3, 4, batch_first=True), nn.Linear(4, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.layer(inputs)[0][:, -1]).squeeze(-1)


def attention() -> nn.Module:
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.1, activation="gelu", batch_first=True)
    return nn.Sequential(nn.Linear(3, 4), nn.TransformerEncoder(layer, 1), nn.Linear(4, 1))


def compiled_part() -> nn.Module:
    inner = torch.compile(nn.Sequential(nn.Linear(3, 4), nn.Tanh()), backend="aot_eager")
    return nn.Sequential(inner, nn.Linear(4, 1))


def compiled() -> nn.Module:
    return torch.compile(compiled_part(), backend="aot_eager")


def compiled_in_place() -> nn.Module:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    model.compile(backend="aot_eager")
    return model


class CompiledFunction(nn.Module):
    """A module that calls a compiled function: no copy of it leaves that behind."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(3, 4), nn.Linear(4, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.last(compiled_activation()(self.first(inputs)))


@cache  # not as this module is imported, which would load torch's compiler
def compiled_activation() -> Callable[[Tensor], Tensor]:
    return torch.compile(lambda hidden: hidden.tanh() * hidden, backend="aot_eager")


def mse(output: Tensor, target: Tensor) -> Tensor:
    return ((output.reshape(len(target), -1).mean(1) - target) ** 2).mean()


def trainer_of(model: Callable[[], nn.Module]) -> Trainer:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(12, 5, 3, generator=generator, dtype=torch.float64)
    problem = Problem(train=(inputs, inputs.sum((1, 2))), model=lambda: model().double(), loss=mse)
    trainer = Trainer(problem, VariantSettings(batch_size=4, lr=0.05), 0, CPU)
    trainer.advance(2)
    return trainer


def by_differences(probe: Probe, vector: Tensor) -> Tensor:
    """The Hessian times a vector, by differences of the probe's own gradients."""
    at, step = probe.weights, 1e-5
    sides = []
    for sign in (1, -1):
        probe.move(at + sign * step * vector)
        side = probe.vector_of(probe.zeros())
        finish(probe.gradient(0, probe.samples, side))
        sides.append(side.vector)
    probe.move(at)
    return (sides[0] - sides[1]) / (2 * step)


@pytest.mark.parametrize(
    "model",
    [
        attention,
        lambda: Recurrent(nn.LSTM),
        lambda: Recurrent(nn.GRU),
        compiled,
        compiled_part,
        compiled_in_place,
        CompiledFunction,
    ],
    ids=["attention", "LSTM", "GRU", "compiled", "compiled part", "in place", "function"],
)
def test_it_has_a_curvature(model: Callable[[], nn.Module]) -> None:
    trainer = trainer_of(model)
    probe = Probe.of(trainer, np.arange(12))
    vector = torch.randn(probe.size, generator=torch.Generator().manual_seed(1)).double()
    vector /= vector.norm()
    product = finish(probe.hessian_product(vector))
    assert product.norm() > 0
    assert torch.allclose(product, by_differences(probe, vector), rtol=1e-4, atol=1e-6)
    losses = trainer.advance(1).losses  # training goes on with its own kernels
    assert np.isfinite(np.frombuffer(losses, "<f4")).all()


@pytest.mark.integration
def test_a_language_model_of_hugging_face_has_a_curvature() -> None:
    pytest.importorskip("transformers")
    trainer = Trainer(PROBLEMS["gpt2"](), VariantSettings(batch_size=8, lr=0.05), 0, CPU)
    trainer.advance(2)
    probe = Probe.of(trainer, np.arange(12))
    vector = torch.randn(probe.size, generator=torch.Generator().manual_seed(1)).double()
    vector /= vector.norm()
    product = finish(probe.hessian_product(vector))
    assert product.norm() > 0
    assert torch.allclose(product, by_differences(probe, vector), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_recurrent_layers_on_a_gpu_go_without_cudnn(kind: type[nn.RNNBase]) -> None:
    """cuDNN differentiates them once, and in training mode only."""
    before = torch.backends.cudnn.enabled
    for model, device, stays in (
        (Recurrent(kind), torch.device("cuda"), False),
        (Recurrent(kind), CPU, before),
        (nn.Conv1d(1, 1, 1), torch.device("cuda"), before),
    ):
        for twice in (True, False):
            with PlainKernels(model, device).in_use(twice=twice):
                assert torch.backends.cudnn.enabled == stays
            assert torch.backends.cudnn.enabled == before


def test_nothing_is_imported_for_models_that_are_not_compiled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "torch._dynamo", raising=False)
    with PlainKernels(nn.Linear(1, 1), CPU).in_use(twice=True):
        pass
    assert "torch._dynamo" not in sys.modules
