"""The check for weights that are not finite."""

import math
import time

import pytest
import torch

from engine.problems import registry
from engine.settings import VariantSettings
from engine.training.trainer import Trainer
from engine.worker.weights_check import WeightsCheck


class SlowTrainer(Trainer):
    """A trainer whose weights take a second to look at."""

    looked = 0
    now = 1000.0

    def has_finite_weights(self) -> bool:
        self.looked += 1
        self.now += 1.0
        return super().has_finite_weights()


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> SlowTrainer:
    made = SlowTrainer(registry.load("synthetic", 0), VariantSettings(), 0, torch.device("cpu"))
    monkeypatch.setattr(time, "perf_counter", lambda: made.now)
    return made


def test_a_slow_check_is_made_seldom_but_at_the_end(trainer: SlowTrainer) -> None:
    check = WeightsCheck()
    for _ in range(900):
        assert not check.has_failed(trainer)
        trainer.now += 1.0
    assert trainer.looked == 2  # a fifth of a per cent of the time
    assert not check.has_failed(trainer, is_last=True)
    assert trainer.looked == 3


def test_weights_that_are_not_finite_are_found(trainer: SlowTrainer) -> None:
    with torch.no_grad():
        next(trainer.model.parameters()).fill_(math.inf)
    assert WeightsCheck().has_failed(trainer)
