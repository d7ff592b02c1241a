"""The screen's state of a run: a fold over its records. Plain Python, no widget, no file.

Everything in it comes from the run's logs, except what the session reports and no log can hold.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from engine.log.notices import Notice, NoticeKind
from engine.log.reading.loss_block import LossBlock
from engine.log.records import (
    AnyRecord,
    Started,
    State,
    StateChanged,
    VariantAdded,
    VariantRemoved,
    WorkerDied,
    WorkerReplaced,
)
from engine.settings import LrScaling, RunSettings, Variant
from gdtui.state.curves import CurvesByGeneration
from gdtui.state.overlay.comparability import have_one_start, problem_titles
from gdtui.state.overlay.shown_runs import ShownVariant
from gdtui.state.roster.forks import WaitingForks
from gdtui.state.roster.roster import Roster
from gdtui.state.timekeeping import Timekeeper
from gdtui.state.variant import Transition, VariantState

_NOT_ABOUT_TRAINING: Final = (
    NoticeKind.SERVER_DIED, NoticeKind.HOST_GONE, NoticeKind.BEGUN_AGAIN, NoticeKind.REMARK
)  # fmt: skip
_BLOCKED: Final = {NoticeKind.LOG_BLOCKED: "cannot write", NoticeKind.LOG_GONE: "log gone"}
"""The state shown for a variant after such a notice, whatever its log last said."""


class Store:
    """All variants of a run, or of several runs that are overlaid."""

    def __init__(self, settings: RunSettings, origins: Sequence[ShownVariant] = ()) -> None:
        """`origins`: the run each variant comes from, in variant order; empty for a single run."""
        self.settings = settings
        self._origins = tuple(origins)
        self._roster = Roster(settings)
        self.variants = self._roster.variants
        """Every variant by its name, including removed ones."""
        self._forks = WaitingForks(self._has_past)
        self._time = Timekeeper()

    # --- Records --------------------------------------------------------------------------------

    def add(self, name: str, record: AnyRecord | LossBlock) -> None:
        """Take in a record, or a block, about the variant with this name."""
        if not self._forks.holds(name, record):
            self._add(name, record)
        while self._forks and (ready := [*self._forks.take()]):
            for each in ready:
                self._add(*each)

    def settle(self) -> None:
        """Note that every log has been read so far: a past that is missing is not in them."""
        for each in self._forks.take(every=True):
            self._add(*each)

    def _add(self, name: str, record: AnyRecord | LossBlock) -> None:
        if isinstance(record, VariantAdded):
            self._take_in(name, record)
            return
        one = self.variants[name]
        one.add(record, self._source(name, record) if isinstance(record, Started) else None)
        if isinstance(record, StateChanged | WorkerDied):
            self._count_time(name, record)
        if isinstance(record, VariantRemoved | WorkerReplaced):
            self._roster.number()

    def _has_past(self, name: str, record: Started) -> bool:
        source = self._source(name, record)
        return source is None or record.origin is None or source.at(record.origin) is not None

    def _source(self, name: str, record: Started) -> CurvesByGeneration | None:
        """The generations of the variant that was forked; None if it is not one of the run's."""
        if record.origin is None or not (forked := record.origin.variant):
            return None
        if self._origins:  # several runs, whose variants may have other names on screen
            run = self._origin(name).run
            names = [one.name for one in self._origins if (one.run, one.own_name) == (run, forked)]
            forked = names[0] if names else ""
        return self.variants[forked].generations if forked in self.variants else None

    # --- Variants -------------------------------------------------------------------------------

    def _take_in(self, name: str, record: VariantAdded) -> None:
        """Add a variant that was added to the run; its settings are those of its beginning."""
        if name not in self.variants:
            variant = Variant(name=name, settings=record.settings)
            self.settings = replace(self.settings, variants=(*self.settings.variants, variant))
            self._roster.add(variant)
            if self._origins:
                run, name = self._origins[0].run, variant.name
                self._origins += (ShownVariant(name=name, own_name=name, run=run),)

    @property
    def states(self) -> list[VariantState]:
        """The variants on screen, in order; another list whenever one comes or goes."""
        return self._roster.states

    def _count_time(self, name: str, record: StateChanged | WorkerDied) -> None:
        """Note when the variant began or stopped training; its death may be read before that."""
        if isinstance(record, StateChanged):
            self._time.tell(name, goes=record.state is State.RUNNING, at=record.wall_time)
        if (death := self.variants[name].tally.worker.death) is not None:
            self._time.tell(name, goes=False, at=max(death.wall_time, record.wall_time))

    def heed(self, notice: Notice, now: float | None = None) -> None:
        """Take in a notice of the session about a log or a worker.

        `now`: seconds since the Unix epoch; None leaves the clock unchanged.
        """
        if notice.kind in _NOT_ABOUT_TRAINING:
            return
        about = [self.variants[notice.variant]] if notice.variant else self.states
        if notice.kind is NoticeKind.NO_CHECKPOINT:  # to wait for the log itself is worse
            about = [one for one in about if not one.blocked]
        for one in about:
            one.blocked = _BLOCKED.get(notice.kind, "")
            one.notice = "" if notice.kind is NoticeKind.LOG_UNBLOCKED else notice.text
            if now is not None and one.tally.state is State.RUNNING:
                self._time.tell(one.tally.name, goes=not one.blocked, at=now)

    def unblock(self) -> None:
        """Forget blocked logs, since writing is being retried; those still blocked report it."""
        for one in self.states:
            if one.blocked:
                one.blocked, one.notice = "", ""

    def forget_notices(self, names: Iterable[str]) -> None:
        """Forget the notices about these variants, which are begun again."""
        for name in names:
            self.variants[name].notice = ""

    def take_said(self) -> list[str]:
        """Take the logs' messages to the user; each is returned once."""
        said = dict.fromkeys(text for one in self.states for text in one.said if text)
        for one in self.states:
            one.said.clear()
        return list(said)

    def run_settings(self, one: VariantState) -> RunSettings:
        """The settings of the variant's run."""
        return self._origin(one.tally.name).run_settings if self._origins else self.settings

    def device_of(self, one: VariantState) -> str:
        """The device assigned by the settings of the variant's run."""
        if self._origins:
            return self._origin(one.tally.name).device
        return self.settings.device_of([*self.variants].index(one.tally.name))

    def _origin(self, name: str) -> ShownVariant:
        return next(origin for origin in self._origins if origin.name == name)

    @property
    def runs(self) -> list[RunSettings]:
        """The settings of each run on screen."""
        found = {origin.run.path: origin.run_settings for origin in self._origins}
        return list(found.values()) or [self.settings]

    @property
    def varies_batch_alone(self) -> bool:
        """True when all began alike and the recipe in force is the same for all.

        Then only the batch size differs, and the lr as scaled by the rule.
        """
        in_force = (one.tally.settings for one in self.states)
        held = {
            replace(
                s,
                batch_size=1,
                accumulation_steps=1,
                lr_scaling=LrScaling.NONE,
                optimizer=s.optimizer.lower(),
                drop_last=False,
            )
            for s in in_force
        }
        return len(held) == 1 and have_one_start(self.runs)

    @property
    def title(self) -> str:
        """The problem in a few words; for several runs, their problems."""
        return ", ".join(problem_titles(self.runs))

    def clock(self, now: float) -> float:
        """Seconds in which any variant trained. `now`: seconds since the Unix epoch."""
        return self._time.seconds(now)

    @property
    def generations(self) -> tuple[tuple[str, int], ...]:
        """The names of the variants on screen, each with the number of its generation."""
        return tuple((one.tally.name, one.tally.generation) for one in self.states)

    @property
    def is_under_way(self) -> bool:
        """True when every variant has a loss to show, is paused, or will never have one."""
        return all(
            one.has_ended
            or one.tally.state is State.PAUSED
            or (one.current and len(one.current.history))
            for one in self.states
        )

    @property
    def is_at_rest(self) -> bool:
        """True when no variant is training or about to."""
        return not any(one.tally.state.is_active for one in self.states)

    @property
    def has_ended(self) -> bool:
        """True when all variants have ended."""
        return all(one.has_ended and not one.pending.restarts for one in self.states)

    @property
    def has_results(self) -> bool:
        """True when any variant has trained for at least one epoch and all have ended."""
        return self.has_ended and any(one.tally.epoch_losses for one in self.states)

    @property
    def has_validation(self) -> bool:
        """True when the problem has held-out data and a variant has been measured on it."""
        return any(one.tally.validation is not None for one in self.states)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the held-out metrics beside the loss."""
        return next((tuple(one.tally.metrics) for one in self.states if one.tally.metrics), ())

    @property
    def has_devices(self) -> bool:
        """True when variants train on different devices."""
        return len({one.tally.device for one in self.states} - {""}) > 1

    @property
    def is_going(self) -> bool:
        """True when any variant is training, or will be once pending commands take effect."""
        return any(one.will_go for one in self.states)

    @property
    def slowest(self) -> VariantState:
        """The variant with the fewest epochs done, among those running or, if none is, among all.

        For several runs, a variant that has begun is preferred.
        """
        running = [one for one in self.states if not one.has_ended] or self.states
        if len(self.runs) > 1:
            running = [one for one in running if one.tally.n] or running
        return min(running, key=lambda one: one.tally.samples / max(one.tally.n, 1))

    @property
    def epochs_requested(self) -> int:
        """Epochs to train in total, once pending commands take effect."""
        return max(one.pending.epochs or one.tally.planned_epochs for one in self.states)

    @property
    def pace(self) -> float | None:
        """The first variant's requested pace in epochs per second; None means unlimited."""
        pending = self.states[0].pending.pace
        return pending[0] if pending else self.states[0].tally.pace

    @property
    def is_pace_pending(self) -> bool:
        return any(one.pending.pace is not None and not one.has_ended for one in self.states)

    @property
    def _live(self) -> list[VariantState]:
        """The variants that have not ended, or that are about to restart."""
        return [one for one in self.states if not one.has_ended or one.pending.restarts]

    @property
    def transition(self) -> Transition | None:
        """The transition a variant is in; if several, the first in the order of `Transition`."""
        found = {one.transition for one in self._live}
        return next((each for each in Transition if each in found), None)

    @property
    def word(self) -> str:
        """The activity of the run, in a few words."""
        live = self._live
        if all(one.blocked for one in live or self.states):
            return (live or self.states)[0].blocked
        if transition := self.transition:
            return str(transition)
        for state in (State.RUNNING, State.STARTING, State.PAUSED):
            if any(one.tally.state is state for one in live):
                return str(state)
        ended = {one.tally.state for one in self.states}
        if len(ended) == 1 and not any(one.verdict for one in self.states):
            return str(ended.pop())
        return "ended"
