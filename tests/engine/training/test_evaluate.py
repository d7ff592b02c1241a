"""Evaluation: means over all samples in eval mode, in pieces that fit, no trace in training."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.problem import Problem
from engine.settings import FULL, VariantSettings
from engine.training.trainer import Trainer

CPU = torch.device("cpu")
SEED = 5
N = 50
INPUTS = torch.randn(N, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
TARGET = INPUTS.sum(1).sin()


def mse(output: Tensor, target: Tensor) -> Tensor:
    return functional.mse_loss(output.squeeze(-1), target)


def normed() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)).double()


def test_no_more_samples_than_the_micro_batch_are_given_at_once() -> None:
    seen: list[int] = []

    def loss(output: Tensor, target: Tensor) -> Tensor:
        seen.append(len(target))
        return mse(output, target)

    problem = Problem(train=(INPUTS, TARGET), validation=(INPUTS, TARGET), model=normed, loss=loss)
    trainer = Trainer(problem, VariantSettings(batch_size=FULL), SEED, CPU, micro_batch=12)
    trainer.advance(1)
    trainer.full_loss()
    trainer.validate()
    assert seen == [12, 12, 12, 12, 2] * 3


def test_validation_is_a_mean_over_samples_in_eval_mode() -> None:
    def off_by(output: Tensor, target: Tensor) -> Tensor:
        return (output.squeeze(-1) - target).abs().mean()

    problem = Problem(
        train=(INPUTS, TARGET),
        validation=(INPUTS[:11] + 1, TARGET[:11]),
        model=normed,
        loss=mse,
        metrics={"off by": off_by},
    )
    trainer = Trainer(problem, VariantSettings(batch_size=8), SEED, CPU, micro_batch=8)
    trainer.advance(3)
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    scores = trainer.validate()
    assert scores is not None
    assert all(
        torch.equal(before[name], value) for name, value in trainer.model.state_dict().items()
    )
    assert trainer.model.training
    with torch.no_grad():
        output = trainer.model.eval()(INPUTS[:11] + 1)
    assert scores.loss == pytest.approx(problem.loss(output, TARGET[:11]).item())
    assert scores.metrics == {"off by": pytest.approx(off_by(output, TARGET[:11]).item())}


def test_pieces_are_halved_until_they_fit() -> None:
    given: list[int] = []

    def loss(output: Tensor, target: Tensor) -> Tensor:
        given.append(len(target))
        if len(target) > 20:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return mse(output, target)

    problem = Problem(train=(INPUTS, TARGET), model=normed, loss=loss)
    trainer = Trainer(problem, VariantSettings(), SEED, CPU)
    with torch.no_grad():
        expected = mse(trainer.model.eval()(INPUTS), TARGET).item()
    assert trainer.full_loss() == pytest.approx(expected, rel=1e-12)
    assert [size for size in given if size > 8] == [50, 25, 13, 13, 13, 11]


@pytest.mark.parametrize(
    ("width", "pieces"),
    [(1, [N]), (1 << 18, [8] * 6 + [2])],
    ids=["small samples at once", "large ones as in training"],
)
def test_pieces_of_large_samples_are_no_larger_than_a_batch(width: int, pieces: list[int]) -> None:
    given: list[int] = []

    class Wide(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            wide: Tensor = super().forward(x).expand(-1, width)
            return self.note(wide)[:, :1]

        def note(self, x: Tensor) -> Tensor:
            given.append(len(x))
            return self.layer(x)  # type: ignore[no-any-return]

    def model() -> nn.Module:
        made = Wide(3, 1).double()
        made.add_module("layer", nn.Identity())
        return made

    problem = Problem(train=(INPUTS, TARGET), model=model, loss=mse)
    trainer = Trainer(problem, VariantSettings(batch_size=8), SEED, CPU)
    for _ in range(2):
        trainer.full_loss()
    assert given == [8, *pieces, *pieces], "the first pass looks at how large they are"


@pytest.mark.parametrize("piece", [None, 7, 1])
def test_a_metric_that_returns_its_weight_is_averaged_by_it(piece: int | None) -> None:
    """Of some pieces nothing counts: the mean of nothing is not a number."""
    counts = torch.arange(N) % 5 > 2

    def share(output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        valid = target > 0.5
        return (output.squeeze(-1)[valid] > 0).double().mean(), valid.sum()

    target = counts.double()
    problem = Problem(
        train=(INPUTS, target),
        validation=(INPUTS, target),
        model=normed,
        loss=mse,
        metrics={"share": share},
    )
    trainer = Trainer(problem, VariantSettings(batch_size=8), SEED, CPU, micro_batch=piece)
    scores = trainer.validate()
    assert scores is not None
    with torch.no_grad():
        expected = share(trainer.model.eval()(INPUTS), target)[0].item()
    assert scores.metrics["share"] == pytest.approx(expected, rel=1e-12)
