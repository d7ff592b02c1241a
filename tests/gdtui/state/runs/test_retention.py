"""The choice of runs to remove, on runs that are made up."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdtui.state.runs.retention import RetentionTerms, removable
from gdtui.state.stored_runs import RunKind, RunState, StoredRun

NOW = 1_700_000_000.0
DAY = 86_400.0


def stored(
    name: str,
    *,
    days: float = 0.0,
    size: int = 0,
    state: RunState = RunState.FINISHED,
    kind: RunKind = RunKind.RUN,
) -> StoredRun:
    """A run that began so many days ago."""
    return StoredRun(
        kind=kind,
        run_dir=name,
        created=NOW - days * DAY,
        problem="",
        variants=(),
        bytes=size,
        state=state,
    )


def names(runs: Sequence[StoredRun], terms: RetentionTerms) -> str:
    """The names of the runs that are removed, one letter each."""
    return "".join(run.run_dir for run in removable(runs, terms, NOW))


RUNS = (
    stored("a", days=1, size=10),
    stored("b", days=10, size=5_000),
    stored("c", days=40, size=20),
    stored("d", days=50, size=9_000),
    stored("e", days=60, size=30, state=RunState.DAMAGED),
)


@pytest.mark.parametrize(
    ("terms", "removed"),
    [
        (RetentionTerms(), "abcde"),
        (RetentionTerms(older_than=30 * DAY), "cde"),
        (RetentionTerms(older_than=0.0), "abcde"),
        (RetentionTerms(larger_than=30), "bd"),
        (RetentionTerms(keep=3), "de"),
        (RetentionTerms(keep=99), ""),
        (RetentionTerms(older_than=30 * DAY, keep=3), "de"),
        (RetentionTerms(older_than=30 * DAY, keep=1), "cde"),
        (RetentionTerms(older_than=30 * DAY, larger_than=100), "d"),
        (RetentionTerms(larger_than=100, keep=1), "bd"),
        (RetentionTerms(larger_than=100, keep=2), "d"),
        (RetentionTerms(older_than=30 * DAY, larger_than=25, keep=4), "e"),
    ],
)
def test_a_run_goes_where_it_meets_every_condition(terms: RetentionTerms, removed: str) -> None:
    assert names(RUNS, terms) == removed
    assert names(RUNS[::-1], terms) == removed


def test_the_limits_themselves_stay() -> None:
    runs = (stored("a", days=30, size=100),)
    assert names(runs, RetentionTerms(older_than=30 * DAY)) == ""
    assert names(runs, RetentionTerms(larger_than=100)) == ""
    assert names(runs, RetentionTerms(older_than=30 * DAY - 1, larger_than=99)) == "a"


def test_one_that_still_trains_is_never_removed_and_takes_a_place_among_the_newest() -> None:
    runs = (
        stored("r", days=0, state=RunState.RUNNING),
        *RUNS,
        stored("s", days=99, size=10**9, state=RunState.RUNNING),
    )
    assert names(runs, RetentionTerms()) == "abcde"
    assert names(runs, RetentionTerms(keep=2)) == "bcde"


def test_the_rest_of_one_that_never_began_takes_no_place() -> None:
    runs = (stored("n", days=0, state=RunState.NEVER_BEGAN), *RUNS)
    assert names(runs, RetentionTerms(keep=1)) == "nbcde"


def test_a_sweep_is_one_run() -> None:
    runs = (stored("s", days=0, kind=RunKind.SWEEP), *RUNS)
    assert names(runs, RetentionTerms(keep=2)) == "bcde"


def test_a_clock_that_was_set_back_removes_nothing_by_age() -> None:
    assert names((stored("a", days=-400),), RetentionTerms(older_than=0.0)) == ""


run_lists = st.lists(
    st.builds(
        stored,
        st.uuids().map(str),
        days=st.floats(0, 100),
        size=st.integers(0, 1_000),
        state=st.sampled_from(RunState),
    ),
    max_size=12,
)
any_terms = st.builds(
    RetentionTerms,
    older_than=st.none() | st.floats(0, 100 * DAY),
    larger_than=st.none() | st.integers(0, 1_000),
    keep=st.integers(0, 12),
)


@given(run_lists, any_terms)
def test_more_conditions_never_remove_more(runs: list[StoredRun], terms: RetentionTerms) -> None:
    found = removable(runs, terms, NOW)
    assert all(run.state is not RunState.RUNNING for run in found)
    for looser in (
        RetentionTerms(older_than=terms.older_than, larger_than=terms.larger_than),
        RetentionTerms(older_than=terms.older_than, keep=terms.keep),
        RetentionTerms(larger_than=terms.larger_than, keep=terms.keep),
    ):
        assert {run.run_dir for run in found} <= {
            run.run_dir for run in removable(runs, looser, NOW)
        }
    left = [run for run in runs if run not in found and run.state is not RunState.NEVER_BEGAN]
    begun = [run for run in runs if run.state is not RunState.NEVER_BEGAN]
    assert len(left) >= min(terms.keep, len(begun))
