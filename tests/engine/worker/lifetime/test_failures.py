"""The state that an error leads to."""

import pytest
import torch
from memory_errors import NO_MEMORY, OTHERS

from engine.log.records import State, StateChanged
from engine.problem import ProblemError
from engine.settings import SettingsError
from engine.training.devices.errors import raise_in_step
from engine.worker.lifetime.failures import failure_of


def failed(error: Exception, *, has_begun: bool = False) -> StateChanged:
    try:
        raise error
    except Exception as raised:
        return failure_of(raised, "synthetic", 1, has_begun=has_begun)


@pytest.mark.parametrize("error", NO_MEMORY, ids=repr)
def test_memory_that_ran_out(error: Exception) -> None:
    assert failed(error).state is State.OUT_OF_MEMORY


@pytest.mark.parametrize("error", OTHERS, ids=repr)
def test_other_errors(error: Exception) -> None:
    assert failed(error).state is State.FAILED


def test_in_the_step_it_says_that_training_cannot_go_on() -> None:
    with pytest.raises(MemoryError) as raised:
        raise_in_step(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"))
    state = failed(raised.value)  # type: ignore[arg-type]
    assert state.state is State.OUT_OF_MEMORY
    assert "inside optimizer.step()" in state.detail
    assert "restart with a smaller batch" in state.detail
    assert "Tried to allocate 2.00 GiB" in state.detail


def test_a_device_that_is_not_there_is_a_usage_error() -> None:
    state = failed(SettingsError("device 'cuda' is not available"))
    assert (state.state, state.is_usage_error) == (State.FAILED, True)


def test_a_run_that_has_begun_is_kept() -> None:
    """A usage error removes the run, with its losses."""
    state = failed(ProblemError("samples make no batch"), has_begun=True)
    assert (state.detail, state.is_usage_error) == ("samples make no batch", False)
