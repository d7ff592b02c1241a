"""The directories of new runs: of our own for a run, one an arm for a sweep."""

from pathlib import Path

from engine.log.directory import RunDirectory, RunDirectoryError, new_run_path
from engine.log.filesystem.places import default_root
from engine.log.filesystem.safe_open import make_directory
from engine.settings import RunSettings
from gdtui import __version__


def empty_directory() -> Path:
    """An empty directory of our own for a run: two that start in the same second get two."""
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


def new_arm(below: Path | None, settings: RunSettings) -> RunDirectory:
    """The directory of one arm of a sweep, there or among all runs.

    RunDirectoryError when it cannot be.
    """
    name = settings.variants[0].name.replace(" ", "-").lower()
    return RunDirectory.create(below / name if below else empty_directory(), settings, __version__)
