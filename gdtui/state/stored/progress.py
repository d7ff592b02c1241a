"""How far a run has got, and what it has reached, in the few figures of a list of runs. Pure."""

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from engine.log.records import State
from engine.log.records.worker import SCRIPT
from engine.programs import PROGRAM

if TYPE_CHECKING:
    from engine.log.summary import Tally


class RunProgress(msgspec.Struct, frozen=True, kw_only=True):
    """The progress of a run, or of a sweep with all its arms."""

    epochs: int = 0
    """Whole epochs of the variant that has done the fewest."""
    epochs_done: float | None = None
    """The same with the fraction of the epoch in progress; None unless a script trains the run."""
    planned_epochs: int = 0
    """0 if a script or program has not named their number."""
    lr: tuple[float, float] | None = None
    """The lowest and the highest lr in force; None before the data is loaded."""
    loss: float | None = None
    """The lowest loss of a variant: on all data, or else the mean of its last epoch."""
    best: str = ""
    """The variant with that loss."""
    seconds_left: float | None = None
    """Seconds until the last variant ends; None if it has, is paused, or too little is known."""
    is_paused: bool = False
    """True if every variant that has not ended is paused."""
    steps: int | None = None
    """The last step that a program has printed, or the updates of a script without epochs."""
    last_loss: float | None = None
    """The lowest last loss of a batch, for a script; the last loss that a program has printed."""
    remarks: tuple[str, ...] = ()
    """Remarks on how the figures are to be read, each with the name of its variant."""
    exit_status: int | None = None
    """The exit status of a program that has ended; below 0, minus the signal that ended it."""


def share_done(tally: "Tally") -> float:
    """Share of the planned epochs that is done; 1 for a variant that has ended in any way."""
    if tally.state.is_ended:
        return 1.0
    if not (tally.planned_epochs and tally.n):
        return 0.0
    if _is_script(tally):
        return min(_epochs_done(tally), tally.planned_epochs) / tally.planned_epochs
    last = tally.evaluation
    done, before = (last.epoch, last.samples) if last is not None else (0, 0)
    # An epoch may leave out an incomplete batch: then it has fewer than n samples.
    since = (tally.samples - before) / (before / done if done else tally.n)
    return min(done + since, tally.epoch, tally.planned_epochs) / tally.planned_epochs


def _is_script(tally: "Tally") -> bool:
    """True for a variant that a user's script trains."""
    return tally.model == SCRIPT


def _epochs_done(tally: "Tally") -> float:
    """Epochs of a script; whole ones while nobody knows how many samples an epoch has."""
    if not tally.epoch:
        return 0.0
    whole = tally.epoch - 1
    if tally.state is State.FINISHED and tally.epoch >= tally.planned_epochs:
        return float(tally.epoch)
    now = tally.resolved
    if now is None or "epoch" in tally.assumed:
        return float(whole)
    samples = tally.n
    if tally.settings.drop_last:
        samples -= tally.n % now.batch_size
    since = tally.samples - whole * samples
    if since < 0:  # it goes on from an epoch that another record holds
        since = tally.samples % samples
    return whole + min(since / max(samples, 1), 1.0)


def progress_of(tallies: "Sequence[Tally]") -> RunProgress:
    """The progress of a run from the tallies of its variants, without removed ones."""
    tallies = [tally for tally in tallies if not tally.is_removed] or tallies
    going = [tally for tally in tallies if not tally.state.is_ended]
    is_paused = bool(going) and all(tally.state is State.PAUSED for tally in going)
    loss, best = min(((_loss(tally), tally.name) for tally in tallies), default=(math.inf, ""))
    known = [tally for tally in tallies if "lr" not in tally.assumed]
    rates = [now.lr for tally in known if (now := tally.resolved) is not None]
    return RunProgress(
        epochs=min(map(_whole_epochs, tallies), default=0),
        planned_epochs=max(map(_planned_epochs, tallies), default=0),
        lr=_span(rates),
        loss=loss if loss < math.inf else None,
        best=best if loss < math.inf else "",
        seconds_left=None if is_paused else _longest(map(_seconds_left, going)),
        is_paused=is_paused,
        remarks=tuple(f"{each.name}: {text}" for each in tallies for text in each.worker.remarks),
        **_of_program(tallies),
        **_of_scripts([tally for tally in tallies if _is_script(tally)]),
    )


def _whole_epochs(tally: "Tally") -> int:
    return int(_epochs_done(tally)) if _is_script(tally) else len(tally.epoch_losses)


def _planned_epochs(tally: "Tally") -> int:
    """The planned epochs; 0 if a script has not told, or a program not printed, their number."""
    is_exceeded = tally.epoch > tally.planned_epochs
    if _is_script(tally):
        is_silent = bool({"planned_epochs", "epoch"} & {*tally.assumed})
        return (
            0 if is_exceeded or (is_silent and tally.planned_epochs < 2) else tally.planned_epochs
        )
    is_unknown = tally.device == PROGRAM and is_exceeded
    return 0 if is_unknown or "epoch" in tally.assumed else tally.planned_epochs


def _of_scripts(tallies: "Sequence[Tally]") -> dict[str, Any]:
    """The figures of a run that scripts train; empty for every other run."""
    if not tallies:
        return {}
    losses = [tally.last_loss for tally in tallies if math.isfinite(tally.last_loss)]
    is_counted = any(_planned_epochs(tally) or "epoch" not in tally.assumed for tally in tallies)
    return {
        "epochs_done": min(map(_epochs_done, tallies)),
        "last_loss": min(losses, default=None),
        "steps": None if is_counted else min(tally.updates for tally in tallies),
    }


def _of_program(tallies: "Sequence[Tally]") -> dict[str, Any]:
    """The figures of a run whose only variant is a program."""
    statuses = [tally.worker.exit_status for tally in tallies]
    found: dict[str, Any] = {"exit_status": next(iter(statuses), None)}
    for tally in tallies:
        if tally.device == PROGRAM:
            loss = tally.last_loss
            found |= {"steps": tally.updates, "last_loss": loss if math.isfinite(loss) else None}
    return found


def progress_of_arms(arms: Iterable[RunProgress | None]) -> RunProgress:
    """The progress of a sweep; its epochs are those of one arm."""
    known = [arm for arm in arms if arm is not None]
    found = [arm for arm in known if arm.loss is not None]
    best = min(found, key=lambda arm: arm.loss or 0.0, default=RunProgress())
    return RunProgress(
        lr=_span([rate for arm in known if arm.lr is not None for rate in arm.lr]),
        loss=best.loss,
        best=best.best,
    )


def _loss(tally: "Tally") -> float:
    """The loss to compare variants by; infinite for one that has none, or diverged."""
    loss = tally.full_loss if tally.full_loss_epoch else tally.final_loss
    is_sound = math.isfinite(loss) and tally.state is not State.DIVERGED
    return loss if is_sound else math.inf


def _span(rates: Sequence[float]) -> tuple[float, float] | None:
    finite = [rate for rate in rates if math.isfinite(rate)]
    return (min(finite), max(finite)) if finite else None


def _seconds_left(tally: "Tally") -> float:
    """Seconds at the average speed so far, or at the pace if that is slower; NaN if unknown."""
    share = share_done(tally) if _planned_epochs(tally) else 0.0
    if tally.state is not State.RUNNING or not (share > 0 and tally.seconds > 0):
        return math.nan
    by_pace = tally.planned_epochs * (1 - share) / tally.pace if tally.pace else 0.0
    return max(tally.seconds * (1 - share) / share, by_pace)


def _longest(seconds: Iterable[float]) -> float | None:
    known = list(seconds)
    return max(known) if known and all(map(math.isfinite, known)) else None
