"""The results of a run as a table for reading. Pure: prints nothing.

The figures themselves come from engine.log.json_report.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from engine.log.directory import RunDirectory
from engine.log.figures.growth import verdict
from engine.log.json_report import VariantReport, report
from engine.log.records import State
from engine.log.summary import Tally
from gdtui.view.text.screen_text import NOT_THE_BIG_BATCH

_WORDS: Final = frozenset(("variant", "state"))
"""The headings of columns of words; the others are of figures."""
_LEGEND: Final = """\
last epoch: mean of its batch losses; noise σ: their scatter around the smoothed loss; all data:
loss on all training data after the last epoch, the one to compare by"""
_HELD_OUT: Final = (
    "validation: on held-out data, also after the last epoch; gap: validation minus all data"
)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run's results, to be printed as a table between a title and a legend."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """One per variant."""
    legend: str
    """The meaning of the columns."""

    @property
    def words(self) -> frozenset[int]:
        """The columns of words; the others are of figures."""
        return frozenset(
            column for column, heading in enumerate(self.headings) if heading in _WORDS
        )


def summarize(run: RunDirectory, tallies: Sequence[Tally]) -> RunSummary:
    """The results of a run, rounded for reading."""
    document = report(run, tallies)
    metrics = list(
        dict.fromkeys(name for each in document.variants for name in each.validation or ())
    )
    pairs = zip(document.variants, tallies, strict=True)
    return RunSummary(
        title=f"{run.info.settings.title} · {document.device} · seed {document.seed} · "
        f"{document.run_dir}",
        headings=_headings(metrics),
        rows=tuple(_row(variant, tally, metrics) for variant, tally in pairs),
        legend="\n".join(_legend(tallies, has_metrics=bool(metrics))),
    )


def _legend(tallies: Sequence[Tally], *, has_metrics: bool) -> Iterator[str]:
    yield _LEGEND
    if has_metrics:
        yield _HELD_OUT
    for tally in tallies:
        if tally.is_big_batch is False and tally.audit is not None:
            yield f"{NOT_THE_BIG_BATCH}: not the big batch: {tally.audit.sentence}"
            return


def _headings(metrics: Sequence[str]) -> tuple[str, ...]:
    """The columns' names; those of validation only if there is any."""
    held_out = [f"validation {name}" for name in metrics] + ["gap"] if metrics else []
    learnt = ("variant", "batch", "lr", "updates", "last epoch", "noise σ", "all data")
    return (*learnt, *held_out, "seconds", "state")


def _row(variant: VariantReport, tally: Tally, metrics: Sequence[str]) -> tuple[str, ...]:
    batch = "–" if variant.batch_size is None else f"{variant.batch_size:,}"
    if variant.accumulation_steps > 1:
        batch += f" ×{variant.accumulation_steps}"
    elif tally.resolved is not None and tally.resolved.is_full:
        batch = "full"
    if variant.is_big_batch is False:
        batch += f" {NOT_THE_BIG_BATCH}"
    measured = variant.validation or {}
    held_out = (
        [*(measured.get(name) for name in metrics), variant.generalisation_gap] if metrics else []
    )
    return (
        variant.name,
        batch,
        "–" if variant.lr is None else f"{variant.lr:.4g}",
        f"{variant.updates:,}",
        *map(
            _figure,
            (variant.final_loss, variant.sigma, variant.full_loss, *held_out),
        ),
        f"{variant.seconds:.2f}",
        _state(variant, tally),
    )


def _state(variant: VariantReport, tally: Tally) -> str:
    """The state, with a note where the loss ended above its start: that is no plain success."""
    if tally.is_removed:
        return "removed"
    note = verdict(tally.growth) if variant.state is State.FINISHED else ""
    return f"{variant.state}, {note}" if note else str(variant.state)


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e6 else f"{value:.2e}"
