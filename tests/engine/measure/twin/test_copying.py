"""Copies of unusual models: ties, frozen parts, kept results, 16 bits, sparse gradients."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from engine.measure.gradients import gradient_sums
from engine.measure.model_copy import Probe
from engine.measure.steps import finish
from engine.measure.twin.memory import MeasureError
from engine.problem import Problem
from engine.settings import VariantSettings
from engine.training.trainer import Trainer

SYMBOLS, WIDTH = 6, 4


class Tied(nn.Module):
    """The head's weights are the embedding's."""

    def __init__(self, *, sparse: bool = False) -> None:
        super().__init__()
        self.embedding = nn.Embedding(SYMBOLS, WIDTH, sparse=sparse)
        self.head = nn.Linear(WIDTH, SYMBOLS, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.embedding(inputs).mean(1).tanh())


class Plain(Tied):
    """With a head, a frozen layer, and a parameter that the loss does not depend on."""

    def __init__(self, *, sparse: bool = False) -> None:
        super().__init__(sparse=sparse)
        self.frozen = nn.Linear(WIDTH, WIDTH).requires_grad_(False)
        self.head = nn.Linear(WIDTH, SYMBOLS)
        self.unused = nn.Parameter(torch.ones(3))

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.frozen(self.embedding(inputs).mean(1)).tanh())


class Keeping(Plain):
    """It keeps what it computed, which torch refuses to copy."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.utils.weight_norm(self.head)
        self.kept: list[Tensor] = []

    def forward(self, inputs: Tensor) -> Tensor:
        output = super().forward(inputs)
        self.kept = [output]
        return output


class Checkpointed(Plain):
    """It computes its activations again for the backward pass."""

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.embedding(inputs).mean(1)
        mapped: Tensor = checkpoint(lambda x: self.frozen(x).tanh(), hidden, use_reentrant=False)
        return self.head(mapped)


def trainer_of(model: Callable[[], nn.Module], n: int = 20) -> Trainer:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randint(0, SYMBOLS, (n, 3), generator=generator)
    problem = Problem(
        train=(inputs, inputs.sum(1) % SYMBOLS), model=model, loss=nn.functional.cross_entropy
    )
    trainer = Trainer(problem, VariantSettings(batch_size=5, lr=0.1), 0, torch.device("cpu"))
    trainer.advance(2)
    return trainer


def product_of(trainer: Trainer) -> tuple[Probe, Tensor, Tensor]:
    """A probe, a vector of length 1, and the Hessian times it."""
    probe = Probe.of(trainer, np.arange(trainer.n))
    vector = torch.randn(probe.size, generator=torch.Generator().manual_seed(1)).to(probe.zeros())
    vector /= vector.norm()
    return probe, vector, finish(probe.hessian_product(vector))


def exact_product(trainer: Trainer, vector: Tensor) -> Tensor:
    """The same, by torch.func in float64."""
    model = trainer.model.eval().double()
    inputs, target = trainer.problem.train
    weights = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}
    sizes = [weight.numel() for weight in weights.values()]
    along = {
        name: part.view_as(weight)
        for (name, weight), part in zip(weights.items(), vector.double().split(sizes), strict=True)
    }

    def loss(weights: dict[str, Tensor]) -> Tensor:
        return nn.functional.cross_entropy(
            torch.func.functional_call(model, weights, inputs), target
        )

    found = torch.func.jvp(torch.func.grad(loss), (weights,), (along,))[1]
    return torch.cat([part.reshape(-1) for part in found.values()])


@pytest.mark.parametrize("model", [Tied, Plain], ids=["tied weights", "frozen and unused"])
def test_the_curvature_is_that_of_the_trained_parameters(model: Callable[[], nn.Module]) -> None:
    trainer = trainer_of(model)
    probe, vector, product = product_of(trainer)
    assert probe.size == sum(p.numel() for p in trainer.objective.parameters)
    assert torch.allclose(product.double(), exact_product(trainer, vector), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("model", [Keeping, Checkpointed])
def test_a_model_that_keeps_or_recomputes_results_can_be_measured(
    model: Callable[[], nn.Module],
) -> None:
    probe, _, product = product_of(trainer_of(model))
    assert product.norm() > 0
    assert probe.weights.isfinite().all()


@pytest.mark.parametrize("model", [Tied, Plain])
def test_sparse_gradients_are_as_good_as_dense_ones(model: type[Tied]) -> None:
    dense, sparse = (trainer_of(lambda s=s: model(sparse=s)) for s in (False, True))
    assert torch.allclose(product_of(sparse)[2], product_of(dense)[2], atol=1e-6)
    assert sparse.model.embedding.sparse  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_weights_of_16_bits_are_measured_in_float32(kind: torch.dtype) -> None:
    trainer = trainer_of(lambda: Plain().to(kind))
    _, vector, product = product_of(trainer)
    assert product.dtype == torch.float32
    assert torch.allclose(product.double(), exact_product(trainer, vector), rtol=1e-4, atol=1e-6)


class Insisting(Plain):
    """It turns what it sees into the type that it was trained in."""

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.embedding(inputs).mean(1).to(torch.bfloat16)
        return self.head(self.frozen(hidden).tanh())


def test_a_model_that_takes_16_bits_only_has_a_noise_scale_but_says_why_no_sharpness() -> None:
    trainer = trainer_of(lambda: Insisting().to(torch.bfloat16))
    probe = Probe.of(trainer, np.arange(20))
    sums = finish(gradient_sums(probe, 4, 5))
    assert np.isfinite(sums.squares).all()
    assert (sums.squares > 0).all()
    with pytest.raises(MeasureError, match="16-bit weights only"):
        finish(probe.hessian_product(probe.zeros()))


def test_the_trained_model_is_left_as_it_was() -> None:
    trainer = trainer_of(Keeping)
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    product_of(trainer)
    after = trainer.model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert trainer.model.training
    assert all(parameter.grad is None for parameter in trainer.model.parameters())
