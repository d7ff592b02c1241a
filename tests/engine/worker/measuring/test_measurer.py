"""Measuring beside training: within its share of time, on demand, without a trace in training."""

import math
import time

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.log.commands import Measure, SetMeasuring
from engine.log.records import Measured, MeasuringSet, Record, Refused, State
from engine.log.summary import Tally
from engine.problem import Problem
from engine.settings import FULL, VariantSettings
from engine.training.trainer import Trainer
from engine.worker.measuring.measurer import SHARE, Measurer

CPU = torch.device("cpu")


def mse(output: Tensor, target: Tensor) -> Tensor:
    return nn.functional.mse_loss(output.squeeze(-1), target)


def problem(n: int = 200) -> Problem:
    """A small net that draws random numbers in training, and even in eval mode."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(n, 4, generator=generator)

    class Restless(nn.Module):
        def forward(self, inputs: Tensor) -> Tensor:
            return inputs + 0.01 * torch.randn_like(inputs)

    return Problem(
        train=(inputs, inputs.sum(1).sin()),
        model=lambda: nn.Sequential(
            nn.Linear(4, 6), nn.Tanh(), nn.Dropout(0.2), Restless(), nn.Linear(6, 1)
        ),
        loss=mse,
    )


def trainer(batch_size: int | str = 10, n: int = 200, **settings: float) -> Trainer:
    return Trainer(problem(n), VariantSettings(batch_size=batch_size, **settings), 0, CPU)  # type: ignore[arg-type]


def measured(measurer: Measurer, trained: Trainer, records: list[Record]) -> Measured:
    """Work until there is one record more."""
    before = len(records)
    while len(records) == before:
        measurer.work(trained)
    found = records[-1]
    assert isinstance(found, Measured), found
    return found


def test_training_is_the_same_with_and_without() -> None:
    plain = trainer()
    losses = [plain.advance(3).losses for _ in range(14)]
    watched = trainer()  # sets the seed that dropout draws from, again
    records: list[Record] = []
    measurer = Measurer(records.append, is_on=True)
    again = []
    for _ in range(14):
        again.append(watched.advance(3).losses)
        measurer.work(watched)  # mostly in mid-measurement
        if len(again) == 7:
            measurer.ask()
            measured(measurer, watched, records)
    assert again == losses
    assert np.array_equal(plain.weights(), watched.weights())


def test_a_measurement_is_of_the_weights_at_which_it_began() -> None:
    records: list[Record] = []
    still, moving = trainer(), trainer()
    alone = measured(Measurer(records.append, is_on=True, slice_seconds=0.0), still, records)
    measurer = Measurer(records.append, is_on=True, slice_seconds=0.0)  # the shortest, many of them
    measurer.work(moving)
    before = len(records)
    while len(records) == before:
        moving.advance(1)
        measurer.work(moving)
    among = records[-1]
    assert isinstance(among, Measured)
    assert among.updates == 0 < moving.updates
    assert alone.noise
    assert among.noise
    assert among.noise.value == pytest.approx(
        alone.noise.value, rel=0.05
    )  # the model's own noise differs


class Clock:
    """A clock that moves when it is told to, and a little each time that it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.00005
        return self.now


@pytest.mark.parametrize("chunk", [0.004, 0.03, 2.0])
def test_it_takes_its_share_of_the_time_at_most(
    chunk: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(time, "perf_counter", clock)
    records: list[Record] = []
    trained, measurer = trainer(), Measurer(records.append, is_on=True)
    training = measuring_time = 0.0
    while training < 4:
        trained.advance(1)
        training += chunk
        measurer.pay(chunk)
        if measurer.wait(trained.updates, State.RUNNING) == 0.0:
            start = clock.now
            measurer.work(trained)
            measuring_time += clock.now - start
    assert records
    assert measuring_time <= SHARE * 1.1 * training + 0.01  # one slice may be under way


def test_what_stands_still_is_not_measured_again() -> None:
    records: list[Record] = []
    trained, measurer = trainer(), Measurer(records.append, is_on=True)
    measured(measurer, trained, records)
    measured(measurer, trained, records)
    assert measurer.wait(trained.updates, State.RUNNING) is None
    trained.advance(1)
    assert measurer.wait(trained.updates, State.RUNNING) is not None


def test_records_tell_where_and_under_which_settings() -> None:
    records: list[Record] = []
    trained, measurer = trainer(16, lr=0.1, momentum=0.5), Measurer(records.append, is_on=True)
    trained.advance(5)
    noise = measured(measurer, trained, records)
    sharpness = measured(measurer, trained, records)
    for found in (noise, sharpness):
        assert (found.updates, found.samples, found.effective_batch, found.lr) == (5, 80, 16, 0.1)
        assert found.edge == pytest.approx(2 * 1.5 / 0.1)
        assert found.cost > 0
    assert noise.noise
    assert sharpness.sharpness
    assert sharpness.sharpness.samples == 200


def test_adam_has_no_such_edge() -> None:
    records: list[Record] = []
    trained = Trainer(problem(), VariantSettings(optimizer="Adam"), 0, CPU)
    assert measured(Measurer(records.append, is_on=True), trained, records).edge is None


def test_too_few_samples_have_no_noise_scale_but_a_sharpness() -> None:
    records: list[Record] = []
    trained, measurer = trainer(1, n=3), Measurer(records.append, is_on=True)
    assert measured(measurer, trained, records).sharpness


def test_a_large_set_is_seen_in_part_and_in_more_of_it_where_that_says_too_little() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(20_000, 2, generator=generator)
    fair = Problem(  # a coin: no gradient but noise at the start
        train=(inputs, torch.randint(0, 2, (20_000,), generator=generator).float()),
        model=lambda: nn.Linear(2, 1),
        loss=lambda output, target: (
            output.squeeze(-1) * 0.0 + output.squeeze(-1) * (target - 0.5)
        ).mean(),
    )
    trained = Trainer(fair, VariantSettings(), 0, CPU)
    records: list[Record] = []
    measurer = Measurer(records.append, is_on=True)
    seen = []
    for _ in range(2):
        measurer.ask()
        noise = measured(measurer, trained, records).noise
        assert noise
        assert not noise.is_reliable
        seen.append(noise.samples)
    assert seen == [4096, 16_384]


# --- Asked for ----------------------------------------------------------------------------------


def look_until_idle(measurer: Measurer, state: State, trained: Trainer) -> None:
    while measurer.wait(trained.updates, state) is not None:
        measurer.look(trained, state)


@pytest.mark.parametrize("state", [State.RUNNING, State.PAUSED, State.FINISHED])
def test_asked_for_it_measures_both_at_once_whatever_the_state(state: State) -> None:
    records: list[Record] = []
    trained, measurer = trainer(), Measurer(records.append, is_on=False)
    assert measurer.wait(trained.updates, state) is None
    measurer.obey(Measure(id=7), state)
    look_until_idle(measurer, state, trained)
    noise, sharpness = records
    assert isinstance(noise, Measured)
    assert isinstance(sharpness, Measured)
    assert (noise.command, sharpness.command) == (0, 7)  # obeyed when all of it is there
    assert noise.noise
    assert sharpness.sharpness


@pytest.mark.parametrize("state", [State.STARTING, State.DIVERGED, State.FAILED])
def test_without_weights_it_says_so(state: State) -> None:
    records: list[Record] = []
    measurer = Measurer(records.append, is_on=False)
    measurer.obey(Measure(id=7), state)
    (said,) = records
    assert isinstance(said, Refused)
    assert said.detail == f"nothing to measure: the variant is {state}"


def test_switched_on_and_off_by_command() -> None:
    records: list[Record] = []
    trained, measurer = trainer(), Measurer(records.append, is_on=False)
    measurer.obey(SetMeasuring(id=1, is_on=True), State.RUNNING)
    assert measurer.wait(trained.updates, State.RUNNING) is not None
    # Training pays for it: no training, no measuring.
    assert measurer.wait(trained.updates, State.PAUSED) is None
    measurer.obey(SetMeasuring(id=2, is_on=False), State.RUNNING)
    assert measurer.wait(trained.updates, State.RUNNING) is None
    assert [(r.is_on, r.command) for r in records if isinstance(r, MeasuringSet)] == [
        (True, 1),
        (False, 2),
    ]


def test_what_cannot_be_differentiated_twice_is_said_once_and_left_alone() -> None:
    class Slope(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, x: Tensor) -> Tensor:
            return x.clone()

        @staticmethod
        def backward(ctx: object, slope: Tensor) -> Tensor:
            raise RuntimeError("it has no second derivative")

    class Once(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, x: Tensor) -> Tensor:
            return x.clone()

        @staticmethod
        def backward(ctx: object, slope: Tensor) -> Tensor:
            return Slope.apply(slope)  # type: ignore[no-any-return, no-untyped-call]

    base = problem()
    model = lambda: nn.Linear(4, 1)  # noqa: E731
    rough = Problem(train=base.train, model=model, loss=lambda o, t: mse(Once.apply(o), t))  # type: ignore[no-untyped-call]
    trained, records = Trainer(rough, VariantSettings(), 0, CPU), list[Record]()
    measurer = Measurer(records.append, is_on=True)
    for _ in range(2):
        measurer.ask(1)
        while measurer.wait(trained.updates, State.PAUSED) is not None:
            measurer.work(trained)
    said = [record for record in records if isinstance(record, MeasuringSet)]
    assert len(said) == 1
    assert said[0].is_on
    assert said[0].detail == "the curvature cannot be measured here: it has no second derivative"
    assert sum(isinstance(record, Measured) for record in records) == 2


def test_a_gradient_that_is_not_finite_is_counted_and_measured_again_later() -> None:
    """The square root of a square has no gradient at zero, where its value is fine."""

    class Root(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(4, 1, bias=False)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.inner(inputs).square().sqrt()

    inputs, target = problem().train
    inputs[7] = 0
    rough = Problem(train=(inputs, target), model=Root, loss=lambda o, t: mse(o, t))
    trained, records = Trainer(rough, VariantSettings(), 0, CPU), list[Record]()
    measurer = Measurer(records.append, is_on=True)
    while not measurer.obey(Measure(id=1), State.PAUSED) and len(records) < 4:
        while measurer.wait(trained.updates, State.PAUSED) is not None:
            measurer.work(trained)
    found = [each for each in records if isinstance(each, Measured)]
    assert len(found) == len(records) == 4, "nothing is given up"
    counts = [(each.noise.not_finite, each.noise.batches) for each in found if each.noise]
    assert counts == [(1, 64), (1, 64)]
    assert [each.sharpness.is_finite for each in found if each.sharpness] == [False, False]


# --- Told ---------------------------------------------------------------------------------------


def test_a_tally_keeps_the_latest_and_their_signal_to_noise() -> None:
    from engine.log.records import Started

    records: list[Record] = []
    trained, measurer = trainer(), Measurer(records.append, is_on=True)
    measured(measurer, trained, records)
    measured(measurer, trained, records)
    settings = VariantSettings(batch_size=10)
    tally = Tally("a", settings)
    assert math.isnan(tally.signal_to_noise)
    start = Started(
        generation=1,
        settings=settings,
        n=200,
        model="",
        parameters=1,
        device="cpu",
        threads=1,
        epochs=1,
        pace=None,
    )
    for record in (start, *records):
        tally.add(record)  # type: ignore[arg-type]
    assert tally.noise
    assert tally.noise.noise
    assert tally.sharpness
    assert tally.sharpness.updates == tally.noise.updates == tally.updates
    assert tally.noise_scale
    assert tally.signal_to_noise == tally.noise_scale.signal_to_noise(10, 200)
    tally.settings = VariantSettings(batch_size=FULL)
    assert tally.signal_to_noise == math.inf
    tally.add(start)  # another generation has other weights
    assert tally.noise is None
    assert tally.noise_scale is None
