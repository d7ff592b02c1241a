"""Pace: an update may start once p × time ≥ the epochs already done."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.settings import VariantSettings
from engine.worker.pace import LEEWAY, Pacer, epochs_per_update


def test_the_first_update_starts_at_once_and_a_full_batch_then_waits_an_epoch() -> None:
    pacer = Pacer(2.0, now=100.0, epochs_done=0.0)
    assert pacer.updates_due(100.0, 0.0, 1.0) == 1
    assert pacer.updates_due(100.4, 1.0, 1.0) == 0
    assert pacer.starts_at(1.0) == 100.5
    assert pacer.updates_due(100.5, 1.0, 1.0) == 1


@given(pace=st.floats(0.01, 100), share=st.floats(1e-4, 1.0), seconds=st.floats(0, 100))
def test_what_is_due_is_what_may_have_started(pace: float, share: float, seconds: float) -> None:
    pacer = Pacer(pace, now=0.0, epochs_done=0.0)
    due = pacer.updates_due(seconds, 0.0, share)
    assert due >= 1
    assert pacer.starts_at((due - 1) * share) <= seconds + 1e-6
    assert pacer.starts_at((due + 1) * share) >= seconds - 1e-6


def test_it_counts_from_where_training_stands_when_it_is_set() -> None:
    pacer = Pacer(1.0, now=50.0, epochs_done=7.25)
    assert pacer.updates_due(50.0, 7.25, 0.25) == 1
    assert pacer.updates_due(50.5, 7.25, 0.25) == 3


def test_who_cannot_keep_up_is_behind_and_owes_only_the_leeway() -> None:
    pacer = Pacer(10.0, now=0.0, epochs_done=0.0)
    pacer.note_progress(5.0, 1.0)  # 50 epochs were due
    assert pacer.behind
    assert pacer.updates_due(5.0, 1.0, 1.0) == int(LEEWAY * 10) + 1


def test_who_keeps_up_is_not_behind() -> None:
    pacer = Pacer(10.0, now=0.0, epochs_done=0.0)
    pacer.note_progress(1.0, 9.9)
    assert not pacer.behind
    pacer.note_progress(9.0, 9.9)
    pacer.note_progress(9.1, 95.0)
    assert not pacer.behind, "it has caught up"


def test_an_updates_share_of_an_epoch() -> None:
    resolved = VariantSettings(batch_size=64, accumulation_steps=2).resolve(2000)
    assert epochs_per_update(resolved, 2000) == pytest.approx(128 / 2000)
