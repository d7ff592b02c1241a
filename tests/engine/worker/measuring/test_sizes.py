"""Measurements of models that are too large to be measured with thousands of samples."""

import numpy as np
import pytest
import torch
from torch import nn

from engine.log.commands import Measure
from engine.log.records import Measured, MeasuringSet, Record, Refused, State
from engine.measure.steps import finish
from engine.problem import Problem
from engine.settings import VariantSettings
from engine.training.trainer import Trainer
from engine.worker.measuring import measurer as measuring
from engine.worker.measuring.measurer import SHARE, Measurer
from engine.worker.measuring.sizes import (
    Allowance,
    CostlyError,
    measure_noise,
    measure_sharpness,
)

NOTHING = Allowance(seconds=0.0)
PLENTY = Allowance(seconds=1e6)


@pytest.fixture(scope="module")
def trainer() -> Trainer:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(6000, 3, generator=generator)
    problem = Problem(
        train=(inputs, inputs.sum(1, keepdim=True)),
        model=lambda: nn.Linear(3, 1),
        loss=nn.functional.mse_loss,
    )
    trained = Trainer(problem, VariantSettings(batch_size=50), 0, torch.device("cpu"))
    trained.advance(4)
    return trained


def draw() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_noise_scale_takes_fewer_and_smaller_batches_where_time_is_short(
    trainer: Trainer,
) -> None:
    whole = finish(measure_noise(trainer, draw(), 4096, PLENTY))
    part = finish(measure_noise(trainer, draw(), 4096, NOTHING))
    assert whole
    assert (whole.batches, whole.samples) == (64, 4096)
    assert part
    assert (part.batches, part.samples) == (8, 8)


def test_a_sharpness_takes_fewer_samples_and_says_how_many(trainer: Trainer) -> None:
    assert finish(measure_sharpness(trainer, draw(), PLENTY)).samples == 4096
    assert finish(measure_sharpness(trainer, draw(), NOTHING)).samples == 32


def test_one_that_would_take_too_long_is_not_made(trainer: Trainer) -> None:
    never = Allowance(seconds=0.0, at_most=0.0)
    with pytest.raises(CostlyError, match="it would take about 0 s of computing"):
        finish(measure_noise(trainer, draw(), 4096, never))
    with pytest.raises(CostlyError):
        finish(measure_sharpness(trainer, draw(), never))


def test_a_costly_one_is_made_on_request_only_and_that_is_said_once(
    trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "TOO_LONG", 0.0)
    records: list[Record] = []
    measurer = Measurer(records.append, is_on=True)
    while measurer.wait(trainer.updates, State.RUNNING) is not None:
        measurer.work(trainer)
    said = [record.detail for record in records if isinstance(record, MeasuringSet)]
    assert len(records) == len(said) == 2
    assert all("is measured only on request: it would take about" in each for each in said)
    measurer.obey(Measure(id=3), State.RUNNING)
    while measurer.wait(trainer.updates, State.PAUSED) is not None:
        measurer.work(trainer)
    assert sum(isinstance(record, Measured) for record in records) == 2


def test_a_request_is_answered_where_nothing_can_be_measured() -> None:
    problem = Problem(
        train=(torch.zeros(3, 1), torch.zeros(3, 1)),
        model=lambda: nn.Linear(1, 1),
        loss=lambda output, target: Once.apply(output).mean(),  # type: ignore[no-untyped-call]
    )
    unmeasurable = Trainer(problem, VariantSettings(), 0, torch.device("cpu"))
    records: list[Record] = []
    measurer = Measurer(records.append, is_on=True)
    for number in (1, 2):
        measurer.obey(Measure(id=number), State.PAUSED)
        while measurer.wait(0, State.PAUSED) is not None:
            measurer.work(unmeasurable)
    first, second = records
    assert isinstance(first, MeasuringSet)
    assert first.command == 1
    assert isinstance(second, Refused)
    assert second.command == 2
    assert second.detail == (
        "cannot be measured: noise scale: there are too few samples; "
        "curvature: no derivative at all"
    )


class Once(torch.autograd.Function):
    """A function without a derivative."""

    @staticmethod
    def forward(ctx: object, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: object, slope: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("no derivative at all")


def test_the_first_piece_is_paid_for_beforehand(trainer: Trainer) -> None:
    """A large model's piece takes as long as some updates, of which there have been few."""
    measurer = Measurer(lambda record: None, is_on=True)
    before, trainer.seconds = trainer.seconds, 4.0  # a second an update
    try:
        measurer.look(trainer, State.PAUSED)
    finally:
        trainer.seconds = before
    due = measurer.wait(trainer.updates, State.RUNNING)
    assert due is not None
    assert due > 1 / SHARE
