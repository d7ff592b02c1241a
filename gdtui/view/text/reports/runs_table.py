"""The stored runs as a table, and their number in words."""

import time
from collections.abc import Sequence

from gdtui.state.runs.hosts import HostState
from gdtui.state.runs.listing import ListedRun
from gdtui.state.stored_runs import RunKind, StoredRun
from gdtui.view.text.formatting import readable_size
from gdtui.view.text.reports.align import align_columns

_HEAD = ("date", "problem", "variants", "size", "state", "directory")


def table(runs: Sequence[StoredRun]) -> str:
    """A line for each run; a sweep has one line for all its arms."""
    return align_columns([_HEAD, *map(_row, runs)], left={0, 1, 2, 4, 5})


def list_table(runs: Sequence[ListedRun]) -> str:
    """The table, with the host of each run that is training and the screens connected to it."""
    head = (*_HEAD[:-1], "host", "viewers", _HEAD[-1])
    rows = [(*_row(one.run)[:-1], *_host(one.host), _row(one.run)[-1]) for one in runs]
    return align_columns([head, *rows], left={0, 1, 2, 4, 5, 7})


def _host(host: HostState | None) -> tuple[str, str]:
    if host is None:
        return "", ""
    return f"{host.host}:{host.pid}", "–" if host.viewers is None else str(host.viewers)


def counted(runs: Sequence[StoredRun]) -> str:
    """The number of runs and sweeps with their size: "2 runs and 1 sweep, 1.2 MiB"."""
    numbers = [(str(kind), sum(run.kind is kind for run in runs)) for kind in RunKind]
    parts = [f"{number} {name}{'s' * (number != 1)}" for name, number in numbers if number]
    listed = " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))
    return f"{listed or 'no runs'}, {readable_size(sum(run.bytes for run in runs))}"


def _row(run: StoredRun) -> tuple[str, ...]:
    names = ", ".join(run.variants) or "–"
    return (
        time.strftime("%Y-%m-%d %H:%M", time.localtime(run.created)),
        run.problem,
        f"sweep of {len(run.arms)} arms" if run.kind is RunKind.SWEEP else names,
        readable_size(run.bytes),
        str(run.state),
        str(run.path),
    )
