"""The directories of new runs and sweeps, named by gdtui or chosen by the user."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.log.directory import (
    LOG_SUFFIX,
    RUN_FILE,
    RunDirectory,
    RunDirectoryError,
    new_run_path,
    server_output,
)
from engine.log.filesystem.holding import is_held
from engine.log.filesystem.places import default_root
from engine.log.filesystem.removal import remove_empty
from engine.log.filesystem.safe_open import is_present, make_directory
from engine.settings import RunSettings
from engine.sweep.directory import SweepDirectory
from gdtui import __version__

if TYPE_CHECKING:
    from engine.log.filesystem.private import PrivateDirectory


@dataclass(frozen=True, slots=True)
class NewRun:
    """The place of a run that is about to begin, and what its loader has found."""

    path: Path
    handover: "PrivateDirectory | None" = None

    def begin(self, settings: RunSettings) -> RunDirectory:
        """Create the run; RunDirectoryError, with nothing left behind, if it cannot begin there."""
        try:
            return RunDirectory.create(self.path, settings, __version__, self.handover)
        except RunDirectoryError:
            if self.handover is not None and not _is_taken(self.path):
                self.abandon()  # the output of what was loaded
            _forget_empty(self.path)
            raise

    @property
    def leftovers(self) -> list[str]:
        """The names of what is there before the run begins, which is left as it is.

        None if a run is there already, so that no other can begin.
        """
        try:
            found = {file.name for file in self.path.iterdir()} - {server_output(self.path).name}
        except OSError:
            return []
        is_taken = RUN_FILE in found or any(name.endswith(LOG_SUFFIX) for name in found)
        return [] if is_taken else sorted(found)

    def discard(self) -> None:
        """Remove the run's directory and its files, but not what its loader has found."""
        from gdtui.state.runs.removal import discard  # not before the first frame

        discard(self.path)

    def abandon(self) -> None:
        """Remove everything that was created for the run."""
        self.discard()
        if self.handover is not None:
            self.handover.remove()


def _is_taken(path: Path) -> bool:
    """True if a run is there, or another gdtui process is about to begin one."""
    return is_held(path) or is_present(path / RUN_FILE) or any(path.glob(f"*{LOG_SUFFIX}"))


def empty_directory() -> Path:
    """Make an empty directory for a run; two runs that start in the same second get two."""
    while True:
        path = new_run_path(default_root())
        try:
            make_directory(path)
        except FileExistsError:
            if not path.is_dir():
                raise RunDirectoryError(f"{path.parent} is not a directory") from None
        except OSError as error:
            raise RunDirectoryError(
                f"cannot write to {default_root()}: {error.strerror}. Choose another place with "
                "--run-dir DIR"
            ) from None
        else:
            return path


def begin_sweep(
    path: Path | None, settings: RunSettings, memory_limit_mb: float | None = None
) -> SweepDirectory:
    """Make the directory of a new sweep, there or among all runs; may raise RunDirectoryError."""
    with new_directory(path) as place:
        return SweepDirectory.create(place, settings, __version__, memory_limit_mb)


@contextlib.contextmanager
def new_directory(path: Path | None) -> Iterator[Path]:
    """The directory of what is about to begin: `path`, or an empty one among all runs.

    The empty one is removed if the block fails and leaves it empty.
    """
    place = path or empty_directory()
    try:
        yield place
    except RunDirectoryError:
        _forget_empty(place)
        raise


def _forget_empty(path: Path) -> None:
    """Remove a directory that `empty_directory` made, if nothing is in it."""
    if path.parent == default_root():
        remove_empty(path)
