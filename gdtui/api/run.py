"""A run read into Python: settings, losses as arrays, evaluations and measurements as records.

Reads the run's directory and writes nothing. Imports numpy when arrays are requested.
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
    Origin,
    Remarked,
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
    """One training of a variant; a restart, a rewind or a fork begins another generation."""

    number: int
    """The number of the generation, from 1."""
    records: tuple[AnyRecord, ...]
    """All records of the generation, in the order written."""

    @cached_property
    def batches(self) -> "BatchColumns":
        """All batches as columns of shape (batches,): loss, lr, samples, seconds and so on."""
        from gdtui.export.batches import batch_columns

        return batch_columns(self._of(Chunk))

    @property
    def losses(self) -> "NDArray[np.float32]":
        """Loss of each batch before its update, shape (batches,); NaN if a batch has no weight."""
        return self.batches.loss

    @cached_property
    def scalars(self) -> "dict[str, NDArray[np.float64]]":
        """Numbers that a script logged by name, shape (batches,); NaN for a batch without one."""
        from gdtui.export.scalars import scalar_columns

        return scalar_columns(self.records, self.batches.batch)

    @property
    def started(self) -> Started | None:
        """The record of its start: samples `n`, model, parameters, device, threads.

        None if the start was not logged.
        """
        return next(iter(self._of(Started)), None)

    @property
    def origin(self) -> Origin | None:
        """The point of another generation after which this one begins, e.g. `origin.batches`.

        `origin.variant` is "" for the same variant. None for the initial weights.
        """
        return None if (started := self.started) is None else started.origin

    @property
    def settings(self) -> VariantSettings | None:
        """The initial settings, or None if not logged; `changes` has the later settings."""
        return None if (started := self.started) is None else started.settings

    @property
    def changes(self) -> tuple[Changed, ...]:
        """The changes of settings during training."""
        return self._of(Changed)

    @property
    def remarks(self) -> tuple[Remarked, ...]:
        """Remarks of a script's log on how its figures are to be read."""
        return self._of(Remarked)

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """Losses on all training and held-out data, and metrics: at the start and after epochs."""
        return self._of(Evaluation)

    @property
    def validations(self) -> tuple[Validated, ...]:
        """Loss on the held-out data, and metrics, measured within epochs by `--validate-every`."""
        return self._of(Validated)

    @property
    def measurements(self) -> tuple[Measured, ...]:
        """Measurements of the noise scale (in samples) and sharpness (loss per squared weight)."""
        return self._of(Measured)

    def _of(self, kind: type[RecordT]) -> tuple[RecordT, ...]:
        return tuple(record for record in self.records if isinstance(record, kind))


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainedVariant:
    """One variant of a run, with the whole content of its log."""

    name: str
    settings: VariantSettings
    """The initial settings."""
    generations: Mapping[int, Generation]
    """Generations by number, in the order of training; empty if no training was logged."""
    state: State
    """The last state logged, such as "finished"."""
    detail: str
    """The reason for the state, e.g. for "failed"; "" if there is none."""
    incomplete: str
    """The reason why rows may be missing (a damaged, missing or truncated log), or ""."""

    @property
    def latest(self) -> Generation:
        """The last generation; an empty generation if no training was logged."""
        *_, last = (Generation(1, ()), *self.generations.values())
        return last


@dataclass(frozen=True, eq=False, kw_only=True)
class Run:
    """A snapshot of a run's logs, taken when the run was opened."""

    directory: RunDirectory
    variants: Mapping[str, TrainedVariant]
    """Variants by name, in the order of the run."""

    @property
    def path(self) -> Path:
        """The run's directory."""
        return self.directory.path

    @property
    def settings(self) -> RunSettings:
        """Settings shared by all variants, such as the problem, and the initial ones of each."""
        return self.directory.info.settings

    @property
    def created(self) -> float:
        """The time at which the run began, in seconds since the Unix epoch."""
        return self.directory.info.created

    @property
    def incomplete(self) -> dict[str, str]:
        """The reasons why rows may be missing, by the name of the variant concerned.

        A variant's log may be damaged, missing, or end early: the variant is still training or was
        killed.
        """
        return {each.name: each.incomplete for each in self.variants.values() if each.incomplete}

    def columns(self) -> "dict[str, NDArray[Any]]":
        """The columns of `gdtui export` by name, with an entry for each batch of all variants.

        `pandas.DataFrame(run.columns())` makes a table of them.
        """
        import numpy as np

        from gdtui.export.csv_export import COLUMNS
        from gdtui.export.scalars import column_of

        trained = [
            (variant.name, generation)
            for variant in self.variants.values()
            for generation in (*variant.generations.values(), Generation(1, ()))
        ]
        parts = [
            {
                "variant": np.full(len(generation.batches), name),
                "generation": np.full(len(generation.batches), generation.number),
                **{column: getattr(generation.batches, column) for column in COLUMNS[2:]},
            }
            for name, generation in trained
        ]
        columns = {name: np.concatenate([part[name] for part in parts]) for name in COLUMNS}
        for name in dict.fromkeys(name for _, each in trained for name in each.scalars):
            columns[column_of(name)] = np.concatenate(
                [each.scalars.get(name, np.full(len(each.batches), np.nan)) for _, each in trained]
            )
        return columns

    def __repr__(self) -> str:
        return clean(f"<Run {self.path}: {', '.join(self.variants)}>")


def open_run(path: str | os.PathLike[str]) -> Run:
    """Read the run in the directory `path`, or the run that `gdtui runs` lists by this name.

    The result is a snapshot: if the run is still training, it holds what has been written so far;
    open the run again for more. If a log is damaged or ends early, all rows up to that point are
    there, and `Run.incomplete` gives the reason. Raises RunDirectoryError if there is no run, or if
    this version cannot read it.
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
        pass  # the reader keeps the reason
    trained = {
        number: Generation(number, tuple(of_it)) for number, of_it in records.items() if number
    }
    return TrainedVariant(
        name=name,
        settings=settings,
        generations=trained,
        state=state,
        detail=detail,
        incomplete=why_incomplete(reader, state),
    )
