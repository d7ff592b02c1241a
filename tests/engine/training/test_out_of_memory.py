"""The step back from out-of-memory: smaller at once; same effective batch if none had worked."""

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.settings import FULL, BatchSize, VariantSettings
from engine.training.out_of_memory import retreat, until_out_of_memory

sizes: st.SearchStrategy[BatchSize] = st.integers(1, 300) | st.just(FULL)


@given(n=st.integers(1, 300), size=sizes, steps=st.integers(1, 9), micro_batch=st.integers(1, 300))
def test_each_step_needs_about_half_and_the_last_has_one_sample(
    n: int, size: BatchSize, steps: int, micro_batch: int
) -> None:
    settings = VariantSettings(batch_size=size, accumulation_steps=steps)
    effective = settings.resolve(n).effective_batch
    at_once = min(micro_batch, settings.resolve(n).batch_size)
    while back := retreat(settings, n, at_once=at_once, worked=None):
        settings, micro_batch = back.settings, back.micro_batch or micro_batch
        assert settings.resolve(n).effective_batch == effective
        smaller = min(micro_batch, settings.resolve(n).batch_size)
        assert at_once / 2 <= smaller < at_once
        at_once = smaller
    assert at_once == 1


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (VariantSettings(batch_size=97), "no two batches make up 97 samples, but 97 of one do"),
        (VariantSettings(batch_size=96, drop_last=True), "of 300 samples 48 at a time drop others"),
    ],
)
def test_what_smaller_batches_do_not_make_up_is_computed_in_pieces(
    settings: VariantSettings, why: str
) -> None:
    half = (int(settings.batch_size) + 1) // 2
    back = retreat(settings, 300, at_once=int(settings.batch_size), worked=None)
    assert back is not None
    assert (back.settings, back.micro_batch) == (settings, half), why
    assert back.note.endswith(f"the same batches in pieces of {half}")


def test_back_to_what_worked_keeps_what_else_was_set() -> None:
    worked = VariantSettings(batch_size=32, accumulation_steps=2)
    wanted = VariantSettings(batch_size=64, lr=0.5)
    back = retreat(wanted, 1000, at_once=64, worked=worked)
    assert back is not None
    assert back.settings == VariantSettings(batch_size=32, accumulation_steps=2, lr=0.5)


def test_what_no_longer_works_is_halved_although_it_had_worked() -> None:
    settings = VariantSettings(batch_size=64)
    back = retreat(settings, 1000, at_once=64, worked=settings)
    assert back is not None
    assert (back.settings.batch_size, back.settings.accumulation_steps) == (32, 2)


def test_results_before_memory_runs_out_are_kept() -> None:
    def results(error: Exception) -> Iterator[int]:
        yield 1
        yield 2
        raise error

    full = torch.OutOfMemoryError("CUDA out of memory")
    assert until_out_of_memory(results(full)) == ([1, 2], full)
    assert full.__traceback__ is None, "its frames hold what fills the memory"
    assert until_out_of_memory(iter([1, 2, 3])) == ([1, 2, 3], None)
    with pytest.raises(ZeroDivisionError):
        until_out_of_memory(results(ZeroDivisionError()))
