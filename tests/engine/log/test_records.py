"""The groups of states: which states each holds.

Names on disk that differ from those in the code.
"""

import msgspec

from engine.log.records import State, StateChanged


def test_active_is_what_trains_or_is_about_to() -> None:
    assert {state for state in State if state.is_active} == {State.STARTING, State.RUNNING}


def test_everything_has_ended_that_neither_trains_nor_waits() -> None:
    going = {State.STARTING, State.RUNNING, State.PAUSED}
    assert {state for state in State if not state.is_ended} == going


def test_stopped_is_no_failure_but_has_no_result_either() -> None:
    broken = {State.FAILED, State.OUT_OF_MEMORY, State.DIED}
    assert {state for state in State if state.is_broken} == broken
    assert {state for state in State if state.is_cut_short} == broken | {State.STOPPED}


def test_weights_are_worth_looking_at_while_training_is_sound() -> None:
    sound = {State.RUNNING, State.PAUSED, State.FINISHED}
    assert {state for state in State if state.has_sound_weights} == sound


def test_a_usage_error_has_the_name_on_disk_that_it_always_had() -> None:
    record = StateChanged(generation=1, state=State.FAILED, is_usage_error=True)
    assert msgspec.to_builtins(record)["is_wrong_call"] is True
