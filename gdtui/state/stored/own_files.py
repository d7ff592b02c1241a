"""The files that belong to a run; the user may have put others beside them."""

import contextlib
from collections.abc import Callable
from pathlib import Path

from engine.log.directory import (
    LOG_SUFFIX,
    RUN_FILE,
    SUFFIXES,
    RunDirectory,
    RunDirectoryError,
    server_output,
)
from engine.session.host.note import is_host_file


def own_names(path: Path) -> Callable[[str], bool]:
    """True for the names of the run's files; the user may have put others beside them."""
    logs: set[str] = set()
    with contextlib.suppress(RunDirectoryError):
        logs.update(Path(log).stem for log in RunDirectory.open(path).info.logs)
    with contextlib.suppress(OSError):
        logs.update(log.stem for log in path.glob(f"*{LOG_SUFFIX}"))
    alone = {RUN_FILE, server_output(path).name}

    def is_own(name: str) -> bool:
        file = Path(name)
        is_of_run = name in alone or is_host_file(name)
        return is_of_run or (file.suffix in SUFFIXES and file.stem in logs)

    return is_own
