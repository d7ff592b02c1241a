"""Memory that runs out and contexts that are lost, by every type and text that torch raises."""

import errno

import numpy as np
import pytest
import torch
from memory_errors import NO_MEMORY, OTHERS

from engine.training.devices.errors import (
    OutOfMemoryInStepError,
    can_retry,
    is_lost_context,
    is_out_of_memory,
    raise_in_step,
    without_frames,
)

LOST = [
    "CUDA error: device-side assert triggered\nCUDA kernel errors might be asynchronously reported",
    "CUDA error: an illegal memory access was encountered",
    "CUDA error: misaligned address",
    "CUDA error: unspecified launch failure",
    "CUDA error: the launch timed out and was terminated",
    "CUDA error: uncorrectable ECC error encountered",
]


@pytest.mark.parametrize("error", NO_MEMORY, ids=repr)
def test_memory_that_ran_out(error: Exception) -> None:
    assert is_out_of_memory(error)
    assert can_retry(error)
    assert not is_lost_context(error)


@pytest.mark.parametrize("error", OTHERS, ids=repr)
def test_other_errors(error: Exception) -> None:
    assert not is_out_of_memory(error)


def test_what_this_machine_raises() -> None:
    with pytest.raises(RuntimeError) as of_torch:
        torch.empty(1 << 50)
    with pytest.raises(MemoryError) as of_numpy:
        np.empty(1 << 50)
    assert is_out_of_memory(of_torch.value)
    assert is_out_of_memory(of_numpy.value)


def test_an_error_that_was_made_of_one() -> None:
    wrapped = ValueError("layer 3 failed")
    wrapped.__cause__ = torch.OutOfMemoryError("CUDA out of memory")
    assert is_out_of_memory(wrapped)
    assert without_frames(wrapped) is wrapped


@pytest.mark.parametrize("error", NO_MEMORY, ids=repr)
def test_in_the_step_it_is_final(error: Exception) -> None:
    with pytest.raises(OutOfMemoryInStepError, match=r"inside optimizer\.step\(\)") as raised:
        raise_in_step(error)
    assert is_out_of_memory(raised.value), "the variant's state is out of memory"
    assert not can_retry(raised.value)


def test_in_the_step_another_error_stays_what_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        raise_in_step(ZeroDivisionError())


@pytest.mark.parametrize("text", LOST)
def test_contexts_that_are_lost(text: str) -> None:
    for kind in (RuntimeError, torch.AcceleratorError):
        assert is_lost_context(kind(text))
        assert not is_out_of_memory(kind(text))
    assert not is_lost_context(ValueError(text)), "a program's own"


def test_no_room_for_a_process_is_no_memory() -> None:
    assert is_out_of_memory(OSError(errno.ENOMEM, "Cannot allocate memory"))
    assert not is_out_of_memory(OSError(errno.ENOENT, "No such file"))
