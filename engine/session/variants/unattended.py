"""Commands to a run that no process trains, noted in its logs for the session that goes on."""

import time

from msgspec.structs import replace

from engine.log.commands import Fork, Rewind
from engine.log.filesystem.disk_errors import cannot_write
from engine.log.records import CommandSent, Point, Record, VariantAdded
from engine.log.writing.added import add_variant
from engine.log.writing.writer import LogWriter
from engine.session.past import ResumedRun, read_past
from engine.session.variants.roster import VariantError, check_room, free_name
from engine.settings import SettingsError, Variant, VariantSettings


def check_optimizer(settings: VariantSettings) -> None:
    """Raise SettingsError for an optimizer that a worker would refuse. Imports torch."""
    from engine.training.recipe import optimizer

    optimizer.check_optimizer(settings)


def note_fork(run: ResumedRun, source: str, command: Fork) -> str:
    """Add a variant to a run that this process holds; returns its name.

    Raises VariantError, or RunDirectoryError if run.json cannot be written.
    """
    past = run.past.variants
    check_room(sum(not each.is_removed for each in past))
    name = free_name([each.variant.name for each in past], command.name or source)
    try:
        add_variant(run, Variant(name=name, settings=command.settings))
    except SettingsError as error:
        raise VariantError(str(error)) from None
    point = Point(variant=source, generation=command.generation, batches=command.batches)
    added = VariantAdded(variant=name, settings=command.settings, origin=point)
    _note(run, replace(added, wall_time=time.time()))
    return name


def note_rewind(run: ResumedRun, variant: str, command: Rewind) -> None:
    """Note a rewind of a variant of a run that this process holds. Raises VariantError."""
    numbered = replace(command, id=run.past.last_command + 1)
    _note(run, CommandSent(variant=variant, command=numbered, wall_time=time.time()))


def _note(run: ResumedRun, record: Record) -> None:
    """Write a record to the session's log, and read the past again."""
    try:
        with LogWriter(run.session_log) as log:
            log.append(record)
    except OSError as error:
        raise VariantError(cannot_write(error, run.session_log)) from None
    past = read_past(run)
    run.past = replace(past, epochs=run.past.epochs, pace=run.past.pace)
