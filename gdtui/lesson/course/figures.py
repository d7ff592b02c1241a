"""The figures in the texts of the lesson, such as {distance}: from facts to short text. Pure."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from engine.experiments.report import Report
from engine.settings import FULL, BatchSize, LrScaling
from engine.sweep.table import Recommendation, Sweep, SweepRow, label
from gdtui.lesson.course.deeds import raised, restarted
from gdtui.lesson.course.facts import LessonFacts, VariantFacts
from gdtui.view.text.formatting import count, number, rounded

_MANY: Final = 1000.0
"""Amounts from here on are written as counts."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The facts that a text speaks of."""

    now: LessonFacts
    begun: LessonFacts
    """The facts when the lesson began to wait for the deed."""
    bet: str = ""
    """Name of the variant that the user bet on."""

    @property
    def lowest(self) -> VariantFacts:
        """The variant with the lowest loss on all data."""
        return min(self.now.variants, key=lambda one: one.full_loss)


MakeText = Callable[[Moment], str]


def _each(pick: Callable[[VariantFacts], str]) -> MakeText:
    return lambda moment: " / ".join(map(pick, moment.now.variants))


def _distance_before(moment: Moment) -> str:
    is_plain = moment.begun.rules == {LrScaling.NONE}
    return number(moment.begun.distance) if is_plain else "–"


def _raised(moment: Moment) -> tuple[VariantFacts, VariantFacts]:
    return raised(moment.now, moment.begun)


def _law(moment: Moment) -> str:
    before, after = _raised(moment)
    return number(math.sqrt(after.batch / before.batch), 2) if before.batch else "–"


def _noise_ratio(moment: Moment) -> str:
    before, after = _raised(moment)
    return number(before.sigma / after.sigma, 2) if after.sigma else "–"


def _again(pick: Callable[[VariantFacts], str]) -> MakeText:
    """A figure of the variant that was restarted."""

    def text(moment: Moment) -> str:
        one = restarted(moment.now, moment.begun)
        return "–" if one is None or not one.common_ends else pick(one)

    return text


def _escaped(experiment: str, arm: str) -> MakeText:
    def text(moment: Moment) -> str:
        report = moment.now.results.get(experiment)
        if not isinstance(report, Report):
            return "–"
        return f"{report.arm(arm).escaped} of {report.seeds}"

    return text


def _verdict(experiment: str) -> MakeText:
    def text(moment: Moment) -> str:
        report = moment.now.results.get(experiment)
        return str(report.verdict) if isinstance(report, Report) else "–"

    return text


def _of_table(pick: Callable[[Sweep], float | None]) -> MakeText:
    def text(moment: Moment) -> str:
        table = moment.now.results.get("sweep")
        found = pick(table) if isinstance(table, Sweep) else None
        return "–" if found is None else _amount(found)

    return text


def _amount(value: float) -> str:
    return count(value) if value >= _MANY else number(value)


def _row(table: Sweep, size: BatchSize) -> SweepRow | None:
    return next((row for row in table.rows if row.batch_size == size), None)


def _cell(size: BatchSize, column: str) -> MakeText:
    def pick(table: Sweep) -> float | None:
        row = _row(table, size)
        return None if row is None else getattr(row, column)

    return _of_table(pick)


def _recommended(pick: Callable[[Recommendation], str], *, is_predicted: bool) -> MakeText:
    def text(moment: Moment) -> str:
        table = moment.now.results.get("sweep")
        if not isinstance(table, Sweep):
            return "–"
        found = table.prediction if is_predicted else table.recommendation
        return "–" if found is None else pick(found)

    return text


def _contradicted(moment: Moment) -> str:
    table = moment.now.results.get("sweep")
    if not isinstance(table, Sweep):
        return "–"
    return str(sum(len(row.contradicted) for row in table.rows))


def _first(pick: Callable[[VariantFacts], str]) -> MakeText:
    return lambda moment: pick(moment.now.variants[0])


def _second(moment: Moment) -> VariantFacts:
    """The mini-batch, or the last variant if there are fewer."""
    return moment.now.variants[:2][-1]


def _second_left(moment: Moment) -> str:
    one = _second(moment)
    return f"{one.n % one.batch:,}" if one.batch else "–"


def _left_over(moment: Moment) -> str:
    dropping = [one for one in moment.now.variants if one.settings.drop_last and one.batch]
    return f"{dropping[0].n % dropping[0].batch:,}" if dropping else "–"


_COMPARISON: Final[Mapping[str, MakeText]] = {
    "bet": lambda moment: moment.bet or "–",
    "names": _each(lambda one: one.name),
    "epochs": lambda moment: f"{moment.now.planned_epochs:,}",
    "losses": _each(lambda one: number(one.full_loss)),
    "updates": _each(lambda one: f"{one.updates:,}"),
    "sigmas": _each(lambda one: number(one.sigma, 2)),
    "lowest": lambda moment: moment.lowest.name,
    "distance": lambda moment: number(moment.now.distance),
    "distance_before": _distance_before,
    "rule": lambda moment: ", ".join(sorted(moment.now.rules)),
    "n": _first(lambda one: f"{one.n:,}"),
    "second_batch": lambda moment: f"{_second(moment).batch:,}",
    "second_left": _second_left,
    "left_over": _left_over,
}
"""Figures of the variants side by side."""
_CHANGE: Final[Mapping[str, MakeText]] = {
    "raised": lambda moment: _raised(moment)[1].name,
    "batch_before": lambda moment: f"{_raised(moment)[0].batch:,}",
    "batch_after": lambda moment: f"{_raised(moment)[1].batch:,}",
    "sigma_before": lambda moment: number(_raised(moment)[0].sigma),
    "sigma_after": lambda moment: number(_raised(moment)[1].sigma),
    "noise_ratio": _noise_ratio,
    "law": _law,
    "again": _again(lambda one: one.name),
    "again_batch": _again(lambda one: f"{one.batch:,} × {one.settings.accumulation_steps}"),
    "again_effective": _again(lambda one: f"{one.effective_batch:,}"),
    "again_epoch": _again(lambda one: f"{len(one.common_ends):,}"),
    "again_loss": _again(lambda one: number(one.common_ends[-1][0])),
    "ghost_loss": _again(lambda one: number(one.common_ends[-1][1])),
    "ghost_distance": _again(lambda one: number(one.ghost_distance, 2)),
    "momentum": _again(lambda one: number(one.settings.momentum, 1)),
}
"""Figures of what changed since the lesson began to wait."""
_EDGE: Final[Mapping[str, MakeText]] = {
    "lr_full": _first(lambda one: rounded(one.lr)),
    "sharpness_full": _first(lambda one: number(one.sharpness)),
    "edge_full": _first(lambda one: number(one.edge)),
    "growth_full": _first(lambda one: number(one.growth, 2)),
    "loss_full": _first(lambda one: number(one.full_loss)),
}
"""Figures of the first variant, the full batch."""
_RESULTS: Final[Mapping[str, MakeText]] = {
    "saddle": _verdict("saddle"),
    "saddle_full": _escaped("saddle", FULL),
    "saddle_64": _escaped("saddle", "64"),
    "saddle_1": _escaped("saddle", "1"),
    "sharp": _verdict("sharp-minimum"),
    "sharp_full": _escaped("sharp-minimum", FULL),
    "sharp_64": _escaped("sharp-minimum", "64"),
    "sharp_1": _escaped("sharp-minimum", "1"),
    "speed_1": _cell(1, "samples_per_s"),
    "speed_full": _cell(FULL, "samples_per_s"),
    "noise_1": _cell(1, "gradient_noise"),
    "noise_512": _cell(512, "gradient_noise"),
    "memory_1": _cell(1, "peak_memory_mb"),
    "memory_full": _cell(FULL, "peak_memory_mb"),
    "equal_seconds": _of_table(lambda table: table.seconds),
    "noise_scale": _of_table(
        lambda table: None if table.noise_scale is None else table.noise_scale.value
    ),
    "best_batch": _recommended(lambda best: label(best.batch_size), is_predicted=False),
    "best_lr": _recommended(lambda best: rounded(best.lr), is_predicted=False),
    "predicted_batch": _recommended(lambda best: label(best.batch_size), is_predicted=True),
    "contradicted": _contradicted,
}
"""Figures of experiments and of the sweep."""
FIGURES: Final[Mapping[str, MakeText]] = {**_COMPARISON, **_CHANGE, **_EDGE, **_RESULTS}
"""Name in braces -> its text."""


class FigureTexts(Mapping[str, str]):
    """The figures of one moment, each written when a text names it."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def __getitem__(self, name: str) -> str:
        return FIGURES[name](self._moment)

    def __iter__(self) -> Iterator[str]:
        return iter(FIGURES)

    def __len__(self) -> int:
        return len(FIGURES)
