"""Pace: an update may start once p × time ≥ the epochs already done."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.problems import registry
from engine.settings import VariantSettings
from engine.training.trainer import Trainer
from engine.worker.pace import CHUNK_SECONDS, LEEWAY, EpochPacer, Pace, epochs_per_update


def test_the_first_update_starts_at_once_and_a_full_batch_then_waits_an_epoch() -> None:
    pacer = EpochPacer(2.0, now=100.0, epochs_done=0.0)
    assert pacer.updates_due(100.0, 0.0, 1.0) == 1
    assert pacer.updates_due(100.4, 1.0, 1.0) == 0
    assert pacer.starts_at(1.0) == 100.5
    assert pacer.updates_due(100.5, 1.0, 1.0) == 1


@given(pace=st.floats(0.01, 100), share=st.floats(1e-4, 1.0), seconds=st.floats(0, 100))
def test_what_is_due_is_what_may_have_started(pace: float, share: float, seconds: float) -> None:
    pacer = EpochPacer(pace, now=0.0, epochs_done=0.0)
    due = pacer.updates_due(seconds, 0.0, share)
    assert due >= 1
    assert pacer.starts_at((due - 1) * share) <= seconds + 1e-6
    assert pacer.starts_at((due + 1) * share) >= seconds - 1e-6


def test_it_counts_from_where_training_stands_when_it_is_set() -> None:
    pacer = EpochPacer(1.0, now=50.0, epochs_done=7.25)
    assert pacer.updates_due(50.0, 7.25, 0.25) == 1
    assert pacer.updates_due(50.5, 7.25, 0.25) == 3


def test_who_cannot_keep_up_is_behind_and_owes_only_the_leeway() -> None:
    pacer = EpochPacer(10.0, now=0.0, epochs_done=0.0)
    pacer.note_progress(5.0, 1.0)  # 50 epochs were due
    assert pacer.behind
    assert pacer.updates_due(5.0, 1.0, 1.0) == int(LEEWAY * 10) + 1


def test_who_keeps_up_is_not_behind() -> None:
    pacer = EpochPacer(10.0, now=0.0, epochs_done=0.0)
    pacer.note_progress(1.0, 9.9)
    assert not pacer.behind
    pacer.note_progress(9.0, 9.9)
    pacer.note_progress(9.1, 95.0)
    assert not pacer.behind, "it has caught up"


def test_an_updates_share_of_an_epoch() -> None:
    resolved = VariantSettings(batch_size=64, accumulation_steps=2).resolve(2000)
    assert epochs_per_update(resolved, 2000) == pytest.approx(128 / 2000)


# --- Slices -------------------------------------------------------------------------------------


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def quarter_epochs() -> Trainer:
    """Four updates of two batches an epoch."""
    settings = VariantSettings(batch_size=250, accumulation_steps=2)
    return Trainer(registry.load("synthetic", 0), settings, 0, torch.device("cpu"))


def test_at_a_free_pace_a_slice_is_always_due() -> None:
    trainer, pace = quarter_epochs(), Pace(None)
    assert (pace.wait(trainer), pace.batches_due(trainer), pace.is_behind) == (0.0, 1, False)


def test_a_slice_is_fitted_to_the_time_that_the_last_one_took() -> None:
    trainer, pace = quarter_epochs(), Pace(None)
    chunk = trainer.advance(4)
    for duration, batches in (
        (CHUNK_SECONDS / 2, 8),
        (CHUNK_SECONDS / 100, 16),
        (CHUNK_SECONDS * 9, 1),
    ):
        pace.end_slice(trainer, replace(chunk, duration=duration))
        assert pace.chunk_batches == batches


def test_an_update_that_has_begun_goes_on_and_the_next_one_waits() -> None:
    trainer, clock = quarter_epochs(), Clock()
    pace = Pace(1.0, clock)
    pace.begin_slice()
    pace.end_slice(trainer, replace(trainer.advance(1), duration=CHUNK_SECONDS / 4))
    assert trainer.in_group
    assert pace.batches_due(trainer) == 1
    trainer.advance(1)
    assert pace.batches_due(trainer) == 0
    assert pace.wait(trainer) == pytest.approx(0.125), (
        "it counts from where training stood when asked"
    )
    pace.set(2.0)
    assert pace.batches_due(trainer) == 2, "the next update may start at once"
