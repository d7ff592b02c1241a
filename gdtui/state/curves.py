"""The curves of one generation: every loss, single values, measurements, changes of settings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from operator import attrgetter
from typing import Final

import numpy as np

from engine.log.measurements import NoiseScale
from engine.log.records import Changed, Evaluation, Measured, Origin, Scalars, Started, Validated
from engine.settings import VariantSettings
from gdtui.history import History
from gdtui.history.named.named_points import NamedPoints
from gdtui.history.smoothing import Thinning
from gdtui.history.storage.kept_points import KeptPoints
from gdtui.state.measurements import Measurements

_MOST_KEPT: Final = 16
"""Number of generations that are kept."""


_full: Final = attrgetter("samples", "updates", "seconds", "full_loss")
_held_out: Final = attrgetter("samples", "updates", "seconds", "validation_loss")


class MeasuredFigure(StrEnum):
    """A figure that is measured now and then, and true of that moment only."""

    FULL_LOSS = "loss on all data"
    VALIDATION = "validation"
    GAP = "gap"
    NOISE = "noise scale"
    SHARPNESS = "sharpness"


@dataclass(frozen=True, slots=True)
class SettingsMark:
    """A change of settings, at the samples, updates and seconds before its first batch."""

    samples: int
    updates: int
    seconds: float
    before: VariantSettings
    """The settings in force until here."""
    after: VariantSettings
    """The settings in force from here on."""


@dataclass(frozen=True, slots=True)
class MeasuredAt:
    """The moment of a measurement: samples trained on by then, and the settings in force."""

    samples: int
    settings: VariantSettings


@dataclass(slots=True)
class Curves:
    """The curves of one generation."""

    history: History
    evaluations: KeptPoints = field(default_factory=KeptPoints)
    """The full losses."""
    validations: KeptPoints = field(default_factory=KeptPoints)
    """The losses on held-out data."""
    named: NamedPoints = field(default_factory=NamedPoints)
    """Metrics on held-out data, and the numbers that a user's loop logged by name."""
    ended: tuple[int, int, float] = (0, 0, 0.0)
    """Place of the last evaluation."""
    measured: Measurements = field(default_factory=Measurements)
    """Noise scale and sharpness."""
    latest: dict[MeasuredFigure, MeasuredAt] = field(default_factory=dict)
    """The last measurement of each figure that has one."""
    changes: list[SettingsMark] = field(default_factory=list)
    first: VariantSettings | None = None
    """The settings at the beginning."""
    generation: int = 1
    origin: Origin | None = None
    """The point up to which the curves are those of another generation; None: they have no past."""

    def gone_on(self, record: Started, origin: Origin) -> "Curves":
        """The curves up to this point, of which the generation that begins now goes on."""
        at = origin.samples
        past = Curves(self.history.until(origin.batches), first=self.first)
        past.generation, past.origin = record.generation, origin
        for name in ("evaluations", "validations"):
            for samples, updates, seconds, value in getattr(self, name).values.tolist():
                if samples <= at:
                    getattr(past, name).add(int(samples), int(updates), seconds, value)
        if len(past.evaluations):
            samples, updates, seconds, _ = past.evaluations.values[-1].tolist()
            past.ended = int(samples), int(updates), seconds
        past.measured, past.named = self.measured.until(at), self.named.until(at)
        past.latest = {figure: seen for figure, seen in self.latest.items() if seen.samples <= at}
        past.changes = [change for change in self.changes if change.samples < at]
        before = past.changes[-1].after if past.changes else self.first
        if before is not None and before != record.settings:
            mark = SettingsMark(at, origin.updates, origin.seconds, before, record.settings)
            past.changes.append(mark)
        return past

    @property
    def shared(self) -> int:
        """The number of batches that are those of another generation."""
        return 0 if self.origin is None else self.origin.batches

    def add_change(self, record: Changed, before: VariantSettings) -> None:
        """Note a change; several with no batch between them are one, from first to last settings.

        `before`: the settings in force until then.
        """
        changes = self.changes
        if changes and changes[-1].samples == record.samples:
            before = changes.pop().before
        if before != (after := record.settings):
            seconds = record.seconds
            changes.append(SettingsMark(record.samples, record.update - 1, seconds, before, after))

    def settings_at(self, samples: int, now: VariantSettings) -> VariantSettings:
        """The settings of the batch at that many samples; `now`: those in force at last."""
        later = [change for change in self.changes if change.samples > samples]
        return later[0].before if later else now

    def add(self, record: Evaluation | Validated | Scalars, settings: VariantSettings) -> None:
        """Add what was measured, or logged by a user's loop, under these settings."""
        match record:
            case Evaluation():
                self.evaluate_all([record], settings)
            case Validated():
                self._validate(record, settings)
            case Scalars():
                self._log(record)

    def evaluate_all(self, records: Sequence[Evaluation], settings: VariantSettings) -> None:
        """Add the losses and metrics at the ends of several epochs, under these settings."""
        full = [each for each in records if each.full_loss is not None]
        held_out = [each for each in records if each.validation_loss is not None]
        gaps = [each for each in held_out if each.full_loss is not None]
        self.evaluations.add_all(list(map(_full, full)))
        self.validations.add_all(list(map(_held_out, held_out)))
        self._add_metrics(records)
        for record in records[-1:]:
            self.ended = record.samples, record.updates, record.seconds
        for figure, found in (
            (MeasuredFigure.FULL_LOSS, full),
            (MeasuredFigure.VALIDATION, held_out),
            (MeasuredFigure.GAP, gaps),
        ):
            for record in found[-1:]:
                self.latest[figure] = MeasuredAt(record.samples, settings)

    def _log(self, record: Scalars) -> None:
        """Add numbers that a user's loop logged by name."""
        index = np.frombuffer(record.batches, "<u8").astype(np.int64) - 1
        places = self.history.places(index)
        for name, values in record.values.items():
            self.named.add(name, places, np.frombuffer(values, "<f8"))

    def _validate(self, record: Validated, settings: VariantSettings) -> None:
        """Add a loss on held-out data within an epoch."""
        self.validations.add(record.samples, record.updates, record.seconds, record.loss)
        self.latest[MeasuredFigure.VALIDATION] = MeasuredAt(record.samples, settings)
        self._add_metrics([record])

    def _add_metrics(self, records: Sequence[Evaluation | Validated]) -> None:
        for name in dict.fromkeys(name for each in records for name in each.metrics):
            having = [each for each in records if name in each.metrics]
            places = np.array([(each.samples, each.updates, each.seconds) for each in having])
            self.named.add(name, places, np.array([each.metrics[name] for each in having]))

    def measure(
        self, record: Measured, smoothed: NoiseScale | None, settings: VariantSettings
    ) -> None:
        """Add a measurement; `smoothed`: the noise scale's average with it."""
        self.measured.add(record, smoothed)
        now = MeasuredAt(record.samples, settings)
        if record.noise is not None:
            self.latest[MeasuredFigure.NOISE] = now
        if record.sharpness is not None:
            self.latest[MeasuredFigure.SHARPNESS] = now


class CurvesByGeneration:
    """The curves of a variant's latest generations."""

    def __init__(self, thinning: Callable[[int], Thinning | None] = lambda _: None) -> None:
        """`thinning`: by the number of a generation, if only a sample of its losses is added."""
        self._kept: dict[int, Curves] = {}
        self._thinning = thinning

    def begin(self, record: Started, source: "CurvesByGeneration | None" = None) -> Curves | None:
        """The curves of the generation that begins here, with the past of its origin.

        None if that past is not known. `source`: the generations of the variant that was forked.
        """
        if (origin := record.origin) is None:
            history = History(record.n, self._thinning(record.generation))
            curves = Curves(history, first=record.settings, generation=record.generation)
        elif past := (source or self).at(origin):
            curves = past.gone_on(record, origin)
        else:
            return None
        self._kept[record.generation] = curves
        while len(self._kept) > _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return curves

    def batches(self, generation: int) -> int:
        """The number of batches of a generation; 0 if it is not known."""
        found = self._kept.get(generation)
        return 0 if found is None else len(found.history)

    def at(self, origin: Origin) -> Curves | None:
        """The curves with this point; None if it is not known, or not yet reached."""
        found = self._kept.get(origin.generation)
        return found if found is not None and len(found.history) >= origin.batches else None
