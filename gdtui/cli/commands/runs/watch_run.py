"""`gdtui watch`: the screen on a run that another process trains, or that has ended.

Controls nothing.

Says of a run that was ended by force that it has ended, which its logs do not.
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final

from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.records import AnyRecord
from gdtui.keys.script import Press
from gdtui.state.record_source import LogSource, ViewerRole, closing_records
from gdtui.state.replay import Replay
from gdtui.state.stored_runs import is_running
from gdtui.terminal.stdio import screen_of_its_own

_LOOK_SECONDS: Final = 1.0
"""Seconds between two checks whether anybody still writes a run whose logs have not ended."""


class WatchSource(LogSource):
    """The logs of somebody else's run."""

    role = ViewerRole.WATCHER
    obeyed = frozenset[str]()

    def __init__(self, run: RunDirectory, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds from any start."""
        super().__init__(run)
        self._clock = clock
        self._looked_at = -_LOOK_SECONDS
        self._has_ended = False
        self._last_time = 0.0

    def read(self, limit: int) -> Iterator[tuple[str, AnyRecord]]:
        """New records; once nobody writes any more, also how the unfinished variants have ended."""
        is_quiet = True
        for name, record in super().read(limit):
            is_quiet = False
            self._last_time = max(self._last_time, record.wall_time)
            yield name, record
        if is_quiet and not self._has_ended and self._is_over():
            self._has_ended = True
            # Its last records may have been written after the read above.
            yield from super().read(limit)
            yield from closing_records(
                self._run, self._follower.unfinished(), self._follower.damage, self._last_time
            )

    def _is_over(self) -> bool:
        now = self._clock()
        if now - self._looked_at < _LOOK_SECONDS:
            return False
        self._looked_at = now
        return not is_running(self._run)


def newest_run(*roots: Path) -> RunDirectory:
    """The run below one of these folders that was begun last.

    RunDirectoryError when there is none that can be read.
    """
    runs = []
    for file in chain.from_iterable(root.glob("*/run.json") for root in roots):
        try:
            runs.append(RunDirectory.open(file.parent))
        except RunDirectoryError:
            continue
    if not runs:
        places = " or ".join(map(str, roots))
        raise RunDirectoryError(
            f"no run in {places}: give a run directory, or start one with gdtui"
        )
    return max(runs, key=lambda run: run.info.created)


def open_run(path: Path | None, *roots: Path, is_replay: bool) -> RunDirectory:
    """The run to watch, the newest below these folders if none is named.

    RunDirectoryError when there is none, or it may not be read or played yet.
    """
    run = RunDirectory.open(path) if path is not None else newest_run(*roots)
    for log in (run.session_log, *(run.path / name for name in run.info.logs)):
        if log.exists() and not os.access(log, os.R_OK):
            raise RunDirectoryError(f"no permission to read {log}")
    if is_replay and is_running(run):
        raise RunDirectoryError(
            f"{run.path} is still training: only a run that has ended can be replayed"
        )
    return run


def run_watch(
    run: RunDirectory, *, replay: float | None, theme: str, fps: float, keys: tuple[Press, ...]
) -> int:
    """Show a run until the user quits; returns the exit status.

    `replay`: how many times as fast.
    """
    from gdtui.app import GdtuiApp

    source = WatchSource(run) if replay is None else Replay(run, replay)
    app = GdtuiApp(run, None, fps=fps, theme=theme, source=source, keys=keys)
    with contextlib.ExitStack() as stack:
        stack.enter_context(screen_of_its_own(None))  # an experiment's server writes, too
        stack.callback(app.close_lab)
        app.run()
    if app.crash:
        print(app.crash, file=sys.stderr)
    return app.return_code or 0
