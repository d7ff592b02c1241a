"""The folders that runs are kept in, and a run by its name in one of them."""

import contextlib
import os
from pathlib import Path


class NoHomeError(RuntimeError):
    """The user has no home directory, so there is no folder of runs."""


def default_root() -> Path:
    """The folder of new runs: XDG's state directory on Linux, Application Support on macOS.

    Raises NoHomeError if neither the environment nor the system knows the user's home.
    """
    from platformdirs import user_state_path  # 3 ms, for those who ask

    if _xdg_state() is None:
        _home()
    return user_state_path("gdtui", appauthor=False) / "runs"


def known_roots() -> tuple[Path, ...]:
    """All folders of runs: the default, and the one of versions that knew XDG alone."""
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
    """The directory of a run that may be given by its name alone, as `gdtui runs` lists it."""
    given = Path(path)
    with contextlib.suppress(OSError, RuntimeError, ValueError):  # names that no file can have
        given = given.expanduser()
        if given.name == os.fspath(path) and not given.exists():
            stored = (root / given for root in known_roots())
            return next((run for run in stored if run.exists()), given)
    return given
