"""Remarks on how the figures of a script are to be read, at its start and after commands. Pure."""

import math
from collections.abc import Iterator
from typing import Final

from engine.log.records import Started
from engine.settings import LrSchedule, VariantSettings

OF_RANKS: Final = (
    "losses are means over all ranks, weighted by their samples or given weights; the batch size "
    "is that of all ranks together"
)
OF_ONE_RANK: Final = "losses are those of rank 0 alone, since run.log records on one rank"
OF_LR: Final = "an lr below 0, or NaN, is recorded as 0"
DEAF: Final = "the record of a process has ended: keys have no effect any more"


def at_start(started: Started) -> Iterator[str]:
    """The figures that nobody has told about a loop, and those that the log takes instead."""
    for column in started.assumed:
        match column:
            case "batch_size":
                yield "the samples of a batch are unknown: each batch counts as one; pass samples="
            case "epoch":
                yield f"the samples of an epoch are unknown: {started.n:,} are taken"
            case "lr":
                yield "the lr is unknown: pass lr= to run.log"
            case _:
                pass


def of_name(wanted: str = "", name: str = "") -> Iterator[str]:
    """The name that a variant got, if the run had one of its own name before."""
    if name != wanted:
        yield f"the run already has a variant {wanted}: this one is called {name}"


def of_change(before: VariantSettings, after: VariantSettings, n: int) -> Iterator[str]:
    """The change of an epoch's updates, which a schedule of the script may count."""
    if after.schedule is not LrSchedule.OWN:
        return
    counts = [math.ceil(n / each.resolve(n).effective_batch) for each in (before, after)]
    if counts[0] != counts[1]:
        yield (
            f"an epoch now has {counts[1]:,} updates instead of {counts[0]:,}: a schedule that the "
            "script advances with every update ends at another epoch"
        )


def of_extension(settings: VariantSettings, before: int, after: int) -> Iterator[str]:
    """The change of the number of epochs, for which a schedule of the script may be made."""
    if settings.schedule is LrSchedule.OWN and after > before:
        yield (
            f"{after:,} epochs instead of {before:,}: the script's lr schedule may be made for "
            f"{before:,}"
        )
