"""The budget of evaluations, by a clock that stands unless a test moves it."""

import pytest
import torch

from engine.log.records import Evaluation, Record
from engine.log.summary import Tally
from engine.problems import registry
from engine.settings import FULL, VariantSettings
from engine.training.trainer import Trainer
from engine.worker import evaluation
from engine.worker.evaluation import AT_ONCE, LEAST_SECONDS, Budget, Evaluator


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def spend(budget: Budget, clock: Clock, seconds: float) -> None:
    with budget.spending():
        clock.now += seconds


def test_what_is_there_from_the_start_can_be_spent_in_parts(clock: Clock) -> None:
    left = Budget(at_once=1.0, share=0.0, clock=clock)
    spend(left, clock, 0.6)
    assert left.affords(0.0)
    spend(left, clock, 0.4)
    assert not left.affords(0.0)


def test_a_debt_is_waited_off_at_the_share(clock: Clock) -> None:
    left = Budget(at_once=1.0, share=0.1, clock=clock)
    spend(left, clock, 5.0)  # 4 s of debt; the time spent is time that passes, too
    clock.now += 34.9
    assert not left.affords(0.0)
    clock.now += 0.2
    assert left.affords(0.0)


def test_no_more_is_saved_up_than_was_there_at_first(clock: Clock) -> None:
    left = Budget(at_once=1.0, share=0.1, clock=clock)
    clock.now += 1000.0
    assert left.affords(0.0)
    spend(left, clock, 1.2)
    assert not left.affords(0.0)


def test_after_the_first_thousand_evaluations_keep_their_distance(clock: Clock) -> None:
    """A log of full batch at free pace would grow by a gigabyte an hour."""
    written: list[Record] = []
    settings = VariantSettings(batch_size=FULL)
    trainer = Trainer(registry.load("synthetic", 0), settings, 0, torch.device("cpu"))
    evaluator = Evaluator(written.append, None, clock)
    for _ in range(AT_ONCE):
        assert evaluator.is_affordable
        evaluator.evaluate(trainer, always_full=False)
    clock.now += LEAST_SECONDS * 0.9
    assert not evaluator.is_affordable
    clock.now += LEAST_SECONDS * 0.2
    assert evaluator.is_affordable
    evaluator.begin()
    assert evaluator.is_affordable, "each generation has its own"
    assert len(written) == AT_ONCE


@pytest.mark.parametrize("seconds", [0.5, 0.0])
def test_a_record_says_of_how_many_samples_the_first_loss_is(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "FIRST_SECONDS", seconds)
    written: list[Record] = []
    trainer = Trainer(registry.load("digits", 0), VariantSettings(), 0, torch.device("cpu"))
    Evaluator(written.append, None).evaluate_first(trainer)
    (record,) = written
    assert isinstance(record, Evaluation)
    tally = Tally("a", trainer.settings)
    tally.add(record)
    if seconds:
        assert (record.full_loss, record.part_loss) == (trainer.full_loss(), None)
        assert record.validation_loss is not None
    else:
        assert (record.full_loss, record.part_samples) == (None, 32)
        assert record.part_loss == pytest.approx(trainer.full_loss(), rel=0.2)
        assert record.validation_loss is None  # of a part it would be too coarse to compare
    assert tally.loss_at_start in (record.full_loss, record.part_loss)


def test_the_loss_on_all_data_is_not_taken_before_its_time_is_there(clock: Clock) -> None:
    left = Budget(at_once=1.0, share=0.1, clock=clock)
    assert left.affords(1.0)
    assert not left.affords(3.0)
    clock.now += 19.0
    assert not left.affords(3.0)
    clock.now += 1.1
    assert left.affords(3.0)


def test_a_long_pass_over_all_data_is_saved_up_for_from_the_start(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Record] = []
    trainer = Trainer(registry.load("synthetic", 0), VariantSettings(), 0, torch.device("cpu"))
    evaluator = Evaluator(written.append, None, clock)
    monkeypatch.setattr(evaluation, "LONG_SECONDS", -1.0)
    evaluator.evaluate_first(trainer)
    evaluator.evaluate(trainer, always_full=False)
    clock.now += 100.0
    evaluator.evaluate(trainer, always_full=False)
    losses = [record.full_loss for record in written if isinstance(record, Evaluation)]
    assert [loss is not None for loss in losses] == [True, False, True]
