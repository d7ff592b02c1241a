"""Ends of work: its result, or a failure that knows whose fault it is."""

from engine.jobs.messages import Death, Failure, JobError, Result, run_job
from engine.settings import SettingsError


def raising(error: Exception) -> Result[None] | Failure:
    def work() -> None:
        raise error

    return run_job(work)


def test_work_that_goes_well_has_a_result() -> None:
    assert run_job(lambda: 3) == Result(3)


def test_a_setting_that_cannot_be_is_a_usage_error() -> None:
    assert raising(SettingsError("no such device")) == Failure(
        "no such device", is_usage_error=True
    )


def test_work_that_knows_why_says_it_itself() -> None:
    error = JobError("no room", traceback="there")
    assert raising(error) == Failure("no room", traceback="there")


def test_anything_else_is_a_failure_with_its_traceback() -> None:
    failure = raising(ValueError("odd"))
    assert isinstance(failure, Failure)
    assert failure.detail == "ValueError: odd"
    assert "in work" in failure.traceback


def test_a_death_says_its_signal_where_one_is_known() -> None:
    assert [str(Death("SIGKILL")), str(Death())] == ["was ended by SIGKILL", "has died"]
