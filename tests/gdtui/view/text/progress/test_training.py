"""The progress of training: epochs of those planned, by the variant that will end last."""

import numpy as np
import pytest
from replay_logs import Clock

from engine.log.records import Chunk, Evaluation, Started, State, StateChanged
from engine.log.summary import Tally
from engine.settings import VariantSettings
from gdtui.view.text.progress.training import TrainingProgress

N, EPOCHS = 10, 4


def tally(name: str) -> Tally:
    found = Tally(name, VariantSettings(batch_size=4))
    found.add(
        Started(
            generation=1,
            settings=found.settings,
            n=N,
            model="",
            parameters=1,
            device="cpu",
            threads=1,
            epochs=EPOCHS,
            pace=None,
        )
    )
    found.add(state(State.RUNNING))
    return found


def state(now: State) -> StateChanged:
    return StateChanged(state=now, generation=1)


def train(one: Tally, epochs: float, per_epoch: int = N) -> None:
    """Train on to that many epochs, each of so many samples."""
    for epoch in range(len(one.epoch_losses) + 1, int(epochs) + 1):
        add_batch(one, epoch, epoch * per_epoch)
        one.add(
            Evaluation(
                generation=1,
                epoch=epoch,
                batches=epoch,
                updates=epoch,
                samples=epoch * per_epoch,
                seconds=epoch,
                full_loss=0.5,
            )
        )
    if epochs % 1:
        add_batch(one, int(epochs) + 1, round(epochs * per_epoch))


def add_batch(one: Tally, epoch: int, end: int) -> None:
    """A batch of all samples up to `end`."""
    size = end - one.samples
    one.add(
        Chunk(
            generation=1,
            epoch=epoch,
            batch=epoch,
            update=epoch,
            in_update=0,
            samples=one.samples,
            seconds=0,
            duration=1,
            batch_size=size,
            last_batch_size=size,
            accumulation_steps=1,
            lr=0.1,
            losses=np.array([0.5], "<f4").tobytes(),
        )
    )


def test_the_slowest_variant_decides_how_far_it_is_and_how_long_it_takes() -> None:
    clock, (fast, slow) = Clock(), (tally("Batch GD"), tally("SGD"))
    progress = TrainingProgress([fast, slow], clock)
    for second in range(1, 5):
        clock.now += 1
        train(fast, second / 2)
        train(slow, second / 5)
        found = progress.look()
    assert found.share == pytest.approx(0.8 / EPOCHS)
    assert found.elapsed == 4
    assert found.left == pytest.approx((EPOCHS - 0.8) * 5)
    assert found.activities == (
        "Batch GD 2/4 loss 0.500 · SGD 0/4",
        "Batch GD 2/4 · SGD 0/4",
        "SGD 0/4",
    )


def test_before_training_it_is_estimating() -> None:
    one = Tally("SGD", VariantSettings())
    found = TrainingProgress([one], Clock()).look()
    assert (found.share, found.left) == (0, None)
    assert found.activities == ("SGD starting",) * 3


def test_what_has_ended_however_does_not_hold_the_others_up() -> None:
    clock, (gone, one) = Clock(), (tally("SGD"), tally("Batch GD"))
    progress = TrainingProgress([gone, one], clock)
    train(gone, 0.1)
    for second in (1, 2, 3):
        clock.now += 1
        train(one, float(second))
        progress.look()
    gone.add(state(State.FAILED))
    found = progress.look()
    assert (found.share, found.left) == (0.75, pytest.approx(1))
    assert found.activities[1] == "SGD failed · Batch GD 3/4"
    one.add(state(State.FINISHED))
    assert (progress.look().share, progress.look().left) == (1, 0)


def test_an_epoch_without_its_incomplete_batch_is_a_whole_one() -> None:
    clock, one = Clock(), tally("SGD")
    progress = TrainingProgress([one], clock)
    for epochs in (1, 2.5):
        clock.now += 1
        train(one, epochs, per_epoch=8)
        found = progress.look()
    assert found.share == pytest.approx(2.5 / EPOCHS)


def test_a_plan_that_grows_moves_the_end_away() -> None:
    clock, one = Clock(), tally("SGD")
    progress = TrainingProgress([one], clock)
    for epochs in (1.0, 2.0, 3.0):
        clock.now += 1
        train(one, epochs)
        progress.look()
    one.planned_epochs = 2 * EPOCHS
    assert progress.look().share == 3 / (2 * EPOCHS)
    assert progress.look().left is None
