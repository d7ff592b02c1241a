"""The evaluation before the first update, by a clock that each sample moves."""

import time

import pytest
import torch
from torch import nn

from engine.problem import Problem
from engine.settings import VariantSettings
from engine.training.data.sources import EvaluatedData
from engine.training.evaluate import Scores
from engine.training.first_evaluation import PartialScores, evaluate_within
from engine.training.trainer import Trainer

N = 60_000


class SlowScore:
    """The scores of a trainer on some data, at so many seconds a sample."""

    def __init__(self, trainer: Trainer, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self._seconds, self._trainer = 0.0, seconds, trainer
        monkeypatch.setattr(time, "process_time", lambda: self.now)

    def __call__(self, data: EvaluatedData) -> Scores:
        self.now += data.n * self._seconds
        return self._trainer.scores_on(data, {})


@pytest.fixture(scope="module", params=["mean", "sum"])
def trainer(request: pytest.FixtureRequest) -> Trainer:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(N, 2, generator=generator).sort(dim=0).values  # no part is like another
    problem = Problem(
        train=(inputs, inputs.sum(1, keepdim=True)),
        model=lambda: nn.Linear(2, 1),
        loss=nn.MSELoss(reduction=request.param),
    )
    return Trainer(problem, VariantSettings(), 0, torch.device("cpu"))


def first(trainer: Trainer, score: SlowScore, seconds: float = 0.5) -> PartialScores:
    return evaluate_within(seconds, trainer.objective, trainer.source, score)


@pytest.mark.parametrize(
    ("cost", "samples"), [(1e-6, N), (1e-4, 2048), (1.8e-4, 2048), (1e-3, 128), (1.0, 32)]
)
def test_a_part_is_taken_that_fits_the_time(
    trainer: Trainer, cost: float, samples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = SlowScore(trainer, cost, monkeypatch)
    found = first(trainer, score)
    assert (found.samples, found.is_whole) == (samples, samples == N)
    assert found.seconds == pytest.approx(N * cost)
    assert score.now <= 2 * max(0.5, 32 * cost)


def test_the_loss_of_a_part_stands_for_that_of_all(
    trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = first(trainer, SlowScore(trainer, 1e-4, monkeypatch))
    assert found.samples == 2048
    assert found.scores.loss == pytest.approx(trainer.full_loss(), rel=0.1)
    assert found.scores.loss != trainer.full_loss()


def test_a_whole_evaluation_is_the_full_loss(
    trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = first(trainer, SlowScore(trainer, 0.0, monkeypatch))
    assert found.scores.loss == trainer.full_loss()
