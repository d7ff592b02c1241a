"""Adds a variant to the description of a run that is being trained."""

import msgspec
from msgspec.structs import replace

from engine.log.directory import RUN_FILE, RunDirectory, RunDirectoryError, log_name
from engine.log.filesystem.disk_errors import cannot_write
from engine.log.filesystem.safe_open import replace_whole
from engine.settings import Variant


def add_variant(run: RunDirectory, variant: Variant) -> None:
    """Add a variant to run.json and `run.info`; its log is yet to be written.

    Only the process that trains the run may do this. Raises RunDirectoryError if run.json cannot
    be written, and SettingsError for a name that is taken.
    """
    info = run.info
    settings = replace(info.settings, variants=(*info.settings.variants, variant))
    log = log_name(len(settings.variants), variant.name)
    info = replace(info, settings=settings, logs=(*info.logs, log))
    path = run.path / RUN_FILE
    try:
        replace_whole(path, msgspec.json.format(msgspec.json.encode(info), indent=2))
    except OSError as error:
        raise RunDirectoryError(cannot_write(error, path), path) from None
    run.info = info
