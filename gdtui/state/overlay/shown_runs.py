"""The runs on screen as one: a single run, or several whose variants are overlaid.

A plain value that reads no log. The screen asks it everything about its runs, so that it need not
know how many there are.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from msgspec.structs import replace

from engine.log.directory import RunDirectory
from engine.settings import RunSettings, Variant, VariantSettings
from engine.settings.text import clean
from gdtui.state.overlay.comparability import comparability_note, have_one_start


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownVariant:
    """A variant on screen, and the run that it comes from."""

    name: str
    """The name on screen, unique among the variants."""
    own_name: str
    """The name in its run."""
    run: RunDirectory

    @property
    def run_settings(self) -> RunSettings:
        """The settings of its run."""
        return self.run.info.settings

    @property
    def device(self) -> str:
        """The device assigned by the settings of its run."""
        names = [variant.name for variant in self.run_settings.variants]
        return self.run_settings.device_of(names.index(self.own_name))


class ShownRuns:
    """The runs of these variants."""

    def __init__(
        self, variants: Sequence[ShownVariant], home: Path | None, notes: Sequence[str] = ()
    ) -> None:
        """`home`: the directory of the run or sweep on screen; None for several."""
        self._variants = tuple(variants)
        self.home = home
        self._notes = tuple(map(clean, notes))  # they name directories

    @classmethod
    def of(cls, run: RunDirectory) -> "ShownRuns":
        """A single run."""
        names = (variant.name for variant in run.info.settings.variants)
        return cls([ShownVariant(name=name, own_name=name, run=run) for name in names], run.path)

    @property
    def variants(self) -> tuple[ShownVariant, ...]:
        """The variants, those included that were added to a single run since it was opened."""
        if len(self.runs) == 1:
            run, known = self.runs[0], {one.own_name for one in self._variants}
            names = [one.name for one in run.info.settings.variants if one.name not in known]
            new = (ShownVariant(name=name, own_name=name, run=run) for name in names)
            self._variants = (*self._variants, *new)
        return self._variants

    @property
    def log_bytes(self) -> int:
        """Bytes in the logs of all variants."""
        size = 0
        for one in self.variants:
            with contextlib.suppress(OSError):  # a variant that has not begun has none
                size += one.run.variant_log(one.own_name).lstat().st_size
        return size

    @cached_property
    def runs(self) -> tuple[RunDirectory, ...]:
        """The runs, in the order of their variants."""
        return tuple({id(one.run): one.run for one in self._variants}.values())

    @property
    def settings(self) -> RunSettings:
        """The settings as if of one run; where the runs differ, the first run's apply."""
        if len(self.runs) == 1 and not self._notes:
            return self.runs[0].info.settings
        return self._joint_settings

    @cached_property
    def _joint_settings(self) -> RunSettings:
        every = [run.info.settings for run in self.runs]
        note = comparability_note(every)
        told = [
            *self._notes,
            *([note] if note else []),
            *(each for run in every for each in run.notes),
        ]
        return replace(
            every[0],
            variants=tuple(
                Variant(name=one.name, settings=self._first_settings(one)) for one in self.variants
            ),
            epochs=max(run.epochs for run in every),
            notes=tuple(dict.fromkeys(told)),
        )

    @staticmethod
    def _first_settings(one: ShownVariant) -> VariantSettings:
        found = (each for each in one.run_settings.variants if each.name == one.own_name)
        return next(found).settings

    @property
    def path(self) -> Path:
        """The directory of a run or sweep on screen, for files about the program."""
        return self.home or self.runs[0].path

    def origin(self, name: str) -> ShownVariant:
        """The variant with this name on screen; KeyError if there is none."""
        for one in self.variants:
            if one.name == name:
                return one
        raise KeyError(name)

    def alike(self, name: str) -> list[ShownVariant]:
        """The variants, this one included, of all runs with the same start as its run."""
        run = self.origin(name).run_settings
        return [one for one in self.variants if have_one_start((run, one.run_settings))]

    def file_stem(self, name: str) -> str:
        """The stem of the names of files about a variant: its number and its name."""
        if len(self.runs) == 1:
            return self.runs[0].variant_log(name).stem
        return RunDirectory.planned(Path(), self.settings, "").variant_log(name).stem

    def folders(self, name: str) -> tuple[Path, ...]:
        """Directories for files about these runs: below the run on screen, else the current one."""
        return (Path(),) if self.home is None else (self.home / name, Path())
