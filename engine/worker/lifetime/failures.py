"""The record of an exception that broke a variant's training, from user code or the device."""

import traceback

from engine.log.records import State, StateChanged
from engine.problems.error_messages import explain
from engine.problems.user_file import file_of
from engine.settings import SettingsError


def failure_of(
    error: BaseException, problem: str, generation: int, *, has_begun: bool
) -> StateChanged:
    """The state after the exception now being handled; prints its traceback to stderr.

    `has_begun` is true once a trainer was made. From then on no error is a usage error, since the
    run has something to keep.
    """
    from engine.training.devices.errors import is_out_of_memory

    detail = explain(error, file_of(problem), is_short=True)
    if isinstance(error, SettingsError) and not has_begun:
        return StateChanged(
            generation=generation, state=State.FAILED, detail=detail, is_usage_error=True
        )
    traceback.print_exc()  # into the worker's output file
    state = State.OUT_OF_MEMORY if is_out_of_memory(error) else State.FAILED
    return StateChanged(
        generation=generation, state=state, detail=detail, traceback=traceback.format_exc()
    )
