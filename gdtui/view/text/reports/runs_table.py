"""The stored runs as a table that fits the terminal, and their number in words."""

import contextlib
import math
import signal
import textwrap
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from gdtui.state.runs.listing import ListedRun
from gdtui.state.stored_runs import RunKind, RunState, StoredRun
from gdtui.view.text.formatting import number, readable_size, setting
from gdtui.view.text.progress.live import left_in_words
from gdtui.view.text.reports.align import align_columns

_HEAD = ("date", "problem", "variants", "size", "state", "directory")
_NONE: Final = "–"
_GAP: Final = 2
"""Spaces between two columns."""


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the list."""

    heading: str
    cell: Callable[[ListedRun], str]
    is_words: bool = True


def table(runs: Sequence[StoredRun]) -> str:
    """A line for each run; a sweep has one line for all its arms."""
    return align_columns([_HEAD, *map(_row, runs)], left={0, 1, 2, 4, 5})


def list_table(runs: Sequence[ListedRun], width: int | None = None) -> str:
    """The list with progress, results and hosts, in at most `width` cells; None: in full.

    Then columns without content are left out, and the least important ones that do not fit, which
    are named below. No cell is shortened.
    """
    if width is None:
        return _aligned(_COLUMNS, runs)
    filled = [column for column in _BY_IMPORTANCE if _has_content(column, runs)]
    shown = [_NAME]
    for column in filled:
        if _width_of([*shown, column], runs) <= width:
            shown.append(column)
    text = _aligned([column for column in _NARROW if column in shown], runs)
    left_out = [column.heading for column in filled if column not in shown]
    if not left_out:
        return text
    return f"{text}\n\n{_wrapped(left_out, width)}"


def _has_content(column: _Column, runs: Sequence[ListedRun]) -> bool:
    return any(column.cell(run) not in ("", _NONE) for run in runs)


def _wrapped(headings: Sequence[str], width: int) -> str:
    text = f"Not shown at {width} columns: {', '.join(headings)}; --json has everything."
    return textwrap.fill(text, width)


def _aligned(columns: Sequence[_Column], runs: Sequence[ListedRun]) -> str:
    rows = [[column.cell(run) for column in columns] for run in runs]
    words = {place for place, column in enumerate(columns) if column.is_words}
    return align_columns([[column.heading for column in columns], *rows], left=words)


def _width_of(columns: Sequence[_Column], runs: Sequence[ListedRun]) -> int:
    cells = [max(len(each.heading), *(len(each.cell(run)) for run in runs)) for each in columns]
    return sum(cells) + _GAP * (len(cells) - 1)


def counted(runs: Sequence[StoredRun]) -> str:
    """The number of runs and sweeps with their size: "2 runs and 1 sweep, 1.2 MiB"."""
    numbers = [(str(kind), sum(run.kind is kind for run in runs)) for kind in RunKind]
    parts = [f"{number} {name}{'s' * (number != 1)}" for name, number in numbers if number]
    listed = " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))
    return f"{listed or 'no runs'}, {readable_size(sum(run.bytes for run in runs))}"


def _row(run: StoredRun) -> tuple[str, ...]:
    return (
        _date(run),
        run.problem,
        _variants(run),
        readable_size(run.bytes),
        str(run.state),
        str(run.path),
    )


def _date(run: StoredRun) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(run.created))


def _variants(run: StoredRun) -> str:
    if run.kind is RunKind.EXPERIMENT:
        return "experiment"
    if run.kind is RunKind.SWEEP:
        return f"sweep of {len(run.arms)} arms"
    return ", ".join(run.variants) or _NONE


def _state(listed: ListedRun) -> str:
    """The state, or "paused" for a run that is held by its host and not training."""
    is_paused = listed.run.state is RunState.RUNNING and listed.progress.is_paused
    return "paused" if is_paused else str(listed.run.state)


def _epochs(listed: ListedRun) -> str:
    """The epochs done; of a script or program without epochs, the steps."""
    found = listed.progress
    if found.epochs_done is not None and found.steps is None:
        tenths = math.floor(found.epochs_done * 10 + 1e-9) / 10
        share = f"{tenths:,.1f}".removesuffix(".0")
        return f"{share}/{found.planned_epochs:,}" if found.planned_epochs else f"{share} epochs"
    if found.steps is not None and not found.planned_epochs:
        done, noun = (found.epochs, "epoch") if found.epochs else (found.steps, "step")
        return f"{done:,} {noun}{'s' * (done != 1)}"
    return f"{found.epochs:,}/{found.planned_epochs:,}" if found.planned_epochs else _NONE


def _exit(listed: ListedRun) -> str:
    """The exit status of a program, or the signal that ended it."""
    status = listed.progress.exit_status
    if status is None:
        return _NONE
    with contextlib.suppress(ValueError):
        return str(status) if status >= 0 else signal.Signals(-status).name
    return f"signal {-status}"


def _lr(listed: ListedRun) -> str:
    if listed.progress.lr is None:
        return _NONE
    return "…".join(dict.fromkeys(setting(float(f"{rate:.3g}")) for rate in listed.progress.lr))


def _result(listed: ListedRun) -> str:
    found = listed.progress
    loss = found.loss if found.last_loss is None else found.last_loss
    return listed.run.verdict or (_NONE if loss is None else number(loss))


def _left(listed: ListedRun) -> str:
    seconds = listed.progress.seconds_left
    return _NONE if seconds is None else left_in_words(seconds).removesuffix(" left")


def _checkpoints(run: StoredRun) -> str:
    taken = run.checkpoint_bytes + sum(arm.checkpoint_bytes for arm in run.arms)
    return readable_size(taken) if taken else _NONE


def _host(listed: ListedRun) -> str:
    if (host := listed.host) is None:
        return ""
    return f"{host.host}:{','.join(map(str, (host.pid, *host.others)))}"


def _viewers(listed: ListedRun) -> str:
    if listed.host is None:
        return ""
    return _NONE if listed.host.viewers is None else str(listed.host.viewers)


_NAME: Final = _Column("name", lambda listed: listed.run.path.name)
_PATH: Final = _Column("directory", lambda listed: listed.run.run_dir)
_STATE: Final = _Column("state", _state)
_EPOCHS: Final = _Column("epochs", _epochs, is_words=False)
_LEFT: Final = _Column("time left", _left, is_words=False)
_RESULT: Final = _Column("result", _result, is_words=False)
_EXIT: Final = _Column("exit", _exit)
_LR: Final = _Column("lr", _lr, is_words=False)
_HOST: Final = _Column("host", _host)
_VIEWERS: Final = _Column("viewers", _viewers, is_words=False)
_VARIANTS: Final = _Column("variants", lambda listed: _variants(listed.run))
_PROBLEM: Final = _Column("problem", lambda listed: listed.run.problem)
_SIZE: Final = _Column("size", lambda listed: readable_size(listed.run.bytes), is_words=False)
_CHECKPOINTS: Final = _Column(
    "checkpoints", lambda listed: _checkpoints(listed.run), is_words=False
)
_DATE: Final = _Column("date", lambda listed: _date(listed.run))

_BY_IMPORTANCE: Final = (
    *(
        _STATE,
        _EXIT,
        _EPOCHS,
        _LEFT,
        _RESULT,
        _LR,
        _HOST,
        _VIEWERS,
        _PROBLEM,
        _VARIANTS,
        _SIZE,
        _DATE,
    ),
    _CHECKPOINTS,
)
_COLUMNS: Final = (
    *(
        _DATE,
        _PROBLEM,
        _VARIANTS,
        _SIZE,
        _STATE,
        _EXIT,
        _EPOCHS,
        _LEFT,
        _RESULT,
        _LR,
        _HOST,
        _VIEWERS,
    ),
    *(_CHECKPOINTS, _PATH),
)
_NARROW: Final = (
    *(
        _NAME,
        _STATE,
        _EXIT,
        _EPOCHS,
        _LEFT,
        _RESULT,
        _LR,
        _HOST,
        _VIEWERS,
        _PROBLEM,
        _VARIANTS,
        _SIZE,
    ),
    *(_CHECKPOINTS, _DATE),
)
