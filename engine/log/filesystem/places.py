"""The directories in which runs are kept, and the lookup of a run by name."""

import contextlib
import os
from pathlib import Path


class NoHomeError(RuntimeError):
    """The user has no home directory, so the directory of runs is unknown."""


def default_root() -> Path:
    """The directory of new runs: in XDG's state directory, or Application Support on macOS.

    Raises NoHomeError if neither the environment nor the system knows the user's home.
    """
    from platformdirs import user_state_path  # here, since the import takes 3 ms

    if _xdg_state() is None:
        _home()
    return user_state_path("gdtui", appauthor=False) / "runs"


def known_roots() -> tuple[Path, ...]:
    """All directories of runs: the default, and that of versions that used XDG on every system."""
    earlier = (_xdg_state() or _home() / ".local" / "state") / "gdtui" / "runs"
    return tuple(dict.fromkeys((default_root(), *([earlier] if earlier.is_dir() else []))))


def _xdg_state() -> Path | None:
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    return state if state.is_absolute() else None


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        raise NoHomeError(
            "no home directory is known: set HOME, or XDG_STATE_HOME to the folder for runs"
        ) from None


def find_run(path: str | os.PathLike[str]) -> Path:
    """The directory of a run, given by its path or just its name as `gdtui runs` lists it."""
    given = Path(path)
    with contextlib.suppress(OSError, RuntimeError, ValueError):  # names that no file can have
        given = given.expanduser()
        if given.name == os.fspath(path) and not given.exists():
            stored = (root / given for root in known_roots())
            return next((run for run in stored if run.exists()), given)
    return given
