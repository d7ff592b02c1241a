"""Selects the stored runs to be removed, by age, number and size. Pure arithmetic."""

from collections.abc import Iterable
from dataclasses import dataclass

from gdtui.state.stored_runs import RunState, StoredRun


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionTerms:
    """The conditions for a removal; a run is removed if it meets all the given ones."""

    older_than: float | None = None
    """Seconds since it began."""
    larger_than: int | None = None
    """Bytes of all its files; for a sweep, of all its arms."""
    keep: int = 0
    """This many of the newest runs stay, whatever the other conditions; running ones count."""


def removable(runs: Iterable[StoredRun], terms: RetentionTerms, now: float) -> list[StoredRun]:
    """The runs to be removed, newest first; never one that is, or may be, still training.

    A sweep counts as one run. The leftovers of a run that never began do not count as a run to
    keep. `now`: seconds since the Unix epoch.
    """
    newest_first = sorted(runs, key=lambda run: (-run.created, run.run_dir))
    begun = [run for run in newest_first if run.state is not RunState.NEVER_BEGAN]
    kept = {run.run_dir for run in begun[: terms.keep]}
    return [
        run
        for run in newest_first
        if not run.state.is_kept
        and run.run_dir not in kept
        and (terms.older_than is None or now - run.created > terms.older_than)
        and (terms.larger_than is None or run.bytes > terms.larger_than)
    ]
