"""The rules by which variants are added to a session and removed from it."""

from collections.abc import Collection, Iterable, Mapping
from itertools import count
from typing import Final

from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.records import Point, VariantAdded
from engine.log.writing.added import add_variant
from engine.session.hosted import OrderError
from engine.session.remote_worker import RemoteWorker
from engine.session.session_log import SessionLog
from engine.settings import SettingsError, Variant, VariantSettings

MOST_TRAINED: Final = 9
"""Largest number of variants to which others are added, not counting removed ones."""


class VariantError(OrderError):
    """A variant that cannot be added or removed; nothing was changed, and the message says why."""


def require(known: Collection[str], name: str) -> None:
    """Raise VariantError if no variant has this name."""
    if name not in known:
        raise VariantError(f"no variant {name!r}; choose from {', '.join(known)}")


def new_variant(
    workers: Mapping[str, RemoteWorker], name: str, settings: VariantSettings
) -> Variant:
    """A variant with this name, or with a number after it if that is taken. VariantError."""
    check_room(len([each for each in workers.values() if not each.is_removed]))
    return Variant(name=free_name(workers, name), settings=settings)


def check_room(variants: int) -> None:
    """Raise VariantError if no variant can be added to so many."""
    if variants >= MOST_TRAINED:
        raise VariantError(
            f"there are {variants} variants already, and at most {MOST_TRAINED} are trained "
            "together; remove one first"
        )


def free_name(taken: Collection[str], name: str) -> str:
    """The name, or with the first number from 2 that makes it one of its own: "SGD 2"."""
    name = name.strip()
    if name not in taken:
        return name
    stem, _, number = name.rpartition(" ")
    stem = stem if stem in taken and number.isdecimal() else name
    return next(each for k in count(2) if (each := f"{stem} {k}") not in taken)


def announce(run: RunDirectory, log: SessionLog, variant: Variant, origin: Point | None) -> None:
    """Let readers of the run know of a variant before it begins. Raises VariantError."""
    try:
        add_variant(run, variant)
    except (RunDirectoryError, SettingsError) as error:
        raise VariantError(str(error)) from None
    log.write(VariantAdded(variant=variant.name, settings=variant.settings, origin=origin))


def check_removal(workers: Mapping[str, RemoteWorker], names: Iterable[str]) -> None:
    """Raise VariantError unless these variants can be removed, with one that is left."""
    names = list(names)
    for name in names:
        require(workers, name)
        if workers[name].is_removed:
            raise VariantError(f"{name} was removed already")
    if all(worker.is_removed or name in names for name, worker in workers.items()):
        raise VariantError("the last variant cannot be removed; gdtui stop ends the run")
