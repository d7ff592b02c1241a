"""A run read into Python: settings, losses as arrays, evaluations and measurements as records.

Reads the run's directory and writes nothing. numpy is imported when arrays are asked for.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from engine.log.directory import RunDirectory
from engine.log.file import LogDamagedError, LogReader
from engine.log.filesystem.places import find_run
from engine.log.records import (
    AnyRecord,
    Changed,
    Chunk,
    Evaluation,
    Measured,
    Started,
    State,
    StateChanged,
    Validated,
)
from engine.settings import RunSettings, VariantSettings
from engine.settings.text import clean
from gdtui.export.incomplete import why_incomplete

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gdtui.export.batches import BatchColumns

RecordT = TypeVar("RecordT")


@dataclass(frozen=True, eq=False)
class Generation:
    """One training of a variant from its first weights on; a restart begins the next generation."""

    number: int
    """Counts from 1."""
    records: tuple[AnyRecord, ...]
    """Everything that was logged of it, in the order of writing."""

    @cached_property
    def batches(self) -> "BatchColumns":
        """Every batch, as columns of shape (batches,): loss, lr, samples, seconds and so on."""
        from gdtui.export.batches import batch_columns

        return batch_columns(self._of(Chunk))

    @property
    def losses(self) -> "NDArray[np.float32]":
        """Loss of each batch before its update, shape (batches,); NaN where it has no weight."""
        return self.batches.loss

    @property
    def started(self) -> Started | None:
        """Its beginning: samples `n`, model, parameters, device, threads.

        None where that is not logged.
        """
        return next(iter(self._of(Started)), None)

    @property
    def settings(self) -> VariantSettings | None:
        """The settings at its beginning, where that is logged; `changes` has the later ones."""
        return None if (started := self.started) is None else started.settings

    @property
    def changes(self) -> tuple[Changed, ...]:
        """The changes of settings while it trained."""
        return self._of(Changed)

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """Losses on all training and held-out data, and metrics: at the start and epochs' ends."""
        return self._of(Evaluation)

    @property
    def validations(self) -> tuple[Validated, ...]:
        """Loss on the held-out data and metrics within epochs, as `--validate-every` asks for."""
        return self._of(Validated)

    @property
    def measurements(self) -> tuple[Measured, ...]:
        """Measurements of the noise scale (in samples) and sharpness (loss per squared weight)."""
        return self._of(Measured)

    def _of(self, kind: type[RecordT]) -> tuple[RecordT, ...]:
        return tuple(record for record in self.records if isinstance(record, kind))


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainedVariant:
    """One variant of a run, with everything that its log holds."""

    name: str
    settings: VariantSettings
    """The settings that the run began with."""
    generations: Mapping[int, Generation]
    """By number, in the order of training; empty where no training was logged."""
    state: State
    """The state that was logged last, such as "finished"."""
    detail: str
    """The reason for that state, as for "failed"; "" without any."""
    incomplete: str
    """Why rows may be missing: the log is damaged, is missing or ends early; "" where none are."""

    @property
    def latest(self) -> Generation:
        """The generation that trained last; an empty one where no training was logged."""
        *_, last = (Generation(1, ()), *self.generations.values())
        return last


@dataclass(frozen=True, eq=False, kw_only=True)
class Run:
    """A run as its logs stood when it was opened."""

    directory: RunDirectory
    variants: Mapping[str, TrainedVariant]
    """By name, in the run's order."""

    @property
    def path(self) -> Path:
        """The run's directory."""
        return self.directory.path

    @property
    def settings(self) -> RunSettings:
        """Settings that all variants share, such as problem and epochs, and the first of each."""
        return self.directory.info.settings

    @property
    def created(self) -> float:
        """The time of its beginning, in seconds since the Unix epoch."""
        return self.directory.info.created

    @property
    def incomplete(self) -> dict[str, str]:
        """Why rows may be missing, by the names of the variants of which some may be.

        A variant's log may be damaged, missing, or end early: it still trains, or was killed.
        """
        return {each.name: each.incomplete for each in self.variants.values() if each.incomplete}

    def columns(self) -> "dict[str, NDArray[Any]]":
        """The columns of `gdtui export` by name: an entry for every batch of all variants.

        `pandas.DataFrame(run.columns())` is the table.
        """
        import numpy as np

        from gdtui.export.csv_export import COLUMNS

        parts = [
            {
                "variant": np.full(len(generation.batches), variant.name),
                "generation": np.full(len(generation.batches), generation.number),
                **{name: getattr(generation.batches, name) for name in COLUMNS[2:]},
            }
            for variant in self.variants.values()
            for generation in (*variant.generations.values(), Generation(1, ()))
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in COLUMNS}

    def __repr__(self) -> str:
        return clean(f"<Run {self.path}: {', '.join(self.variants)}>")


def open_run(path: str | os.PathLike[str]) -> Run:
    """Read the run in the directory `path`, or the one that `gdtui runs` lists by that name.

    The result is a snapshot: it holds what had been written of a run that still trains; open the
    run again for more. A log that is damaged or ends early gives all rows before that, and
    `Run.incomplete` says so. Raises RunDirectoryError where there is no run, or none that this
    version can read.
    """
    directory = RunDirectory.open(find_run(path))
    variants = {
        variant.name: _read(variant.name, variant.settings, directory.variant_log(variant.name))
        for variant in directory.info.settings.variants
    }
    return Run(directory=directory, variants=variants)


def _read(name: str, settings: VariantSettings, log: Path) -> TrainedVariant:
    """The variant, as far as its log can be read."""
    reader = LogReader(log)
    records: dict[int, list[AnyRecord]] = {}
    state, detail, number = State.STARTING, "", 0
    try:
        for record in reader:
            if isinstance(record, StateChanged):
                state, detail = record.state, record.detail
            number = getattr(record, "generation", number)
            records.setdefault(number, []).append(record)
    except LogDamagedError:
        pass  # the reader knows
    trained = {
        number: Generation(number, tuple(of_it)) for number, of_it in records.items() if number
    }
    return TrainedVariant(
        name=name,
        settings=settings,
        generations=trained,
        state=state,
        detail=detail,
        incomplete=why_incomplete(reader),
    )
