"""The run directory of a tracked loop: a new one, or one that another loop has begun."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from engine.log.directory import RUN_FILE, RunDirectory, RunDirectoryError, new_run_path
from engine.log.filesystem.holding import held
from engine.log.filesystem.places import default_root
from engine.log.filesystem.safe_open import is_present, replace_whole
from engine.settings import RunSettings, Variant
from engine.settings.text import clean

SWITCH: Final = "GDTUI"
"""The environment variable that switches tracking off."""
RUN_DIR: Final = "GDTUI_RUN_DIR"
_JOIN_SECONDS: Final = 5.0
_RETRY_SECONDS: Final = 0.02
_OFF: Final = ("off", "0", "no", "false")


def is_off() -> bool:
    """True if the user has switched tracking off."""
    return os.environ.get(SWITCH, "").strip().lower() in _OFF


def place(run_dir: str | os.PathLike[str] | None) -> Path | None:
    """The directory that the user chose for the run; None if none was chosen."""
    chosen = run_dir if run_dir is not None else os.environ.get(RUN_DIR)
    return Path(chosen).expanduser() if chosen else None


def variant_name(name: str | None) -> str:
    """The name of a variant, from the one that the script gives."""
    return clean(name or "").strip() or "loop"


def open_run(path: Path | None, settings: RunSettings, version: str) -> tuple[RunDirectory, str]:
    """The run that a loop begins or joins, with the name of its variant there.

    `settings` has the loop's variant alone. The name gets a number if the run has it already.
    Raises RunDirectoryError or OSError.
    """
    name = settings.variants[0].name
    if path is None:
        return _begin(new_run_path(default_root()), settings, version), name
    if not is_present(path / RUN_FILE):
        try:
            return _begin(path, settings, version), name
        except RunDirectoryError:
            if not is_present(path / RUN_FILE):
                raise  # otherwise another loop has begun it just now
    with _alone(path):
        return _join(RunDirectory.open(path), settings)


def _begin(path: Path, settings: RunSettings, version: str) -> RunDirectory:
    run = RunDirectory.create(path, settings, version)
    run.custody.release()  # the lock on its log shows that it is running, so that others may join
    return run


def _join(run: RunDirectory, settings: RunSettings) -> tuple[RunDirectory, str]:
    present = run.info.settings
    if not present.is_script:
        raise RunDirectoryError(
            f"{run.path} already holds a run of gdtui train; nothing was changed. Choose another "
            "run_dir",
            run.path,
        )
    taken = {each.name for each in present.variants}
    name = first = settings.variants[0].name
    number = 1
    while name in taken:
        number += 1
        name = f"{first} #{number}"
    variant = Variant(name=name, settings=settings.variants[0].settings)
    joined = replace(
        present,
        variants=(*present.variants, variant),
        epochs=max(present.epochs, settings.epochs),
    )
    planned = RunDirectory.planned(run.path, joined, run.info.version)
    info = replace(run.info, settings=joined, logs=(*run.info.logs, planned.info.logs[-1]))
    replace_whole(run.path / RUN_FILE, msgspec.json.format(msgspec.json.encode(info), indent=2))
    return RunDirectory(run.path, info, is_ours=True), name


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other loops from joining the run at the same time; RunDirectoryError if it is held."""
    deadline = time.monotonic() + _JOIN_SECONDS
    while True:
        try:
            with held(path):
                yield
                return
        except BlockingIOError:
            if time.monotonic() > deadline:
                taken = f"{clean(str(path))} is in use by another gdtui; nothing was changed"
                raise RunDirectoryError(taken, path) from None
            time.sleep(_RETRY_SECONDS)
