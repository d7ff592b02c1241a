"""The screen's state of a run: a fold over its records. Plain Python, no widget, no file.

Everything in it came out of the run's logs, but for what the session says that no log may hold.
"""

from collections.abc import Sequence
from typing import Final

from engine.log.notices import Notice, NoticeKind
from engine.log.records import AnyRecord, State, StateChanged, WorkerDied
from engine.log.summary import Tally
from engine.settings import RunSettings
from gdtui.state.overlay.comparability import have_one_start, problem_titles
from gdtui.state.overlay.shown_runs import ShownVariant
from gdtui.state.timekeeping import Timekeeper
from gdtui.state.variant import Transition, VariantState

_BLOCKED: Final = {NoticeKind.LOG_BLOCKED: "cannot write", NoticeKind.LOG_GONE: "log gone"}
"""The state of a variant by the notice that it waits, whatever its log said last."""


class Store:
    """All variants of a run, or of several that lie over each other."""

    def __init__(self, settings: RunSettings, origins: Sequence[ShownVariant] = ()) -> None:
        """`origins`: the runs of the variants, in their order; none: it is one run."""
        self.settings = settings
        self._origins = tuple(origins)
        self.variants: dict[str, VariantState] = {
            variant.name: VariantState(
                index,
                Tally(
                    variant.name,
                    variant.settings,
                    planned_epochs=settings.epochs,
                    pace=settings.pace,
                ),
            )
            for index, variant in enumerate(settings.variants)
        }
        self._time = Timekeeper()

    def add(self, name: str, record: AnyRecord) -> None:
        """Take in a record about the variant of that name."""
        self.variants[name].add(record)
        if isinstance(record, StateChanged | WorkerDied):
            self._count_time(name, record)

    def _count_time(self, name: str, record: StateChanged | WorkerDied) -> None:
        """Note when the variant began or ceased to train; its death may be read before that."""
        if isinstance(record, StateChanged):
            self._time.tell(name, goes=record.state is State.RUNNING, at=record.wall_time)
        if (death := self.variants[name].tally.worker.death) is not None:
            self._time.tell(name, goes=False, at=max(death.wall_time, record.wall_time))

    def heed(self, notice: Notice, now: float | None = None) -> None:
        """Take in a notice of the session about a log or a worker.

        `now`: seconds since the Unix epoch; None: the clock does not mind.
        """
        if notice.kind is NoticeKind.SERVER_DIED:
            return
        about = [self.variants[notice.variant]] if notice.variant else self.states
        for one in about:
            one.blocked = _BLOCKED.get(notice.kind, "")
            one.notice = "" if notice.kind is NoticeKind.LOG_UNBLOCKED else notice.text
            if now is not None and one.tally.state is State.RUNNING:
                self._time.tell(one.tally.name, goes=not one.blocked, at=now)

    def unblock(self) -> None:
        """Forget blocked logs, since writing is tried again: those still blocked will say so."""
        for one in self.states:
            if one.blocked:
                one.blocked, one.notice = "", ""

    def take_said(self) -> list[str]:
        """Take the logs' messages to the user, each once."""
        said = [text for one in self.states for text in one.said]
        for one in self.states:
            one.said.clear()
        return said

    def run_settings(self, one: VariantState) -> RunSettings:
        """The settings of the variant's run."""
        return self._origins[one.index].run_settings if self._origins else self.settings

    def device_of(self, one: VariantState) -> str:
        """The device that the settings of the variant's run give it."""
        if self._origins:
            return self._origins[one.index].device
        return self.settings.device_of(one.index)

    @property
    def runs(self) -> list[RunSettings]:
        """The settings of each run that is shown."""
        found = {origin.run.path: origin.run_settings for origin in self._origins}
        return list(found.values()) or [self.settings]

    @property
    def varies_batch_alone(self) -> bool:
        """True when all began alike and lr, momentum and optimiser in force are the same for all.

        So what differs is the batch, and the lr by the rule.
        """
        in_force = (one.tally.settings for one in self.states)
        held = {(s.lr, s.base_batch, s.momentum, s.optimizer.lower()) for s in in_force}
        return len(held) == 1 and have_one_start(self.runs)

    @property
    def title(self) -> str:
        """The problem in a few words; of several runs, the problems."""
        return ", ".join(problem_titles(self.runs))

    def clock(self, now: float) -> float:
        """Seconds in which anything trained, pauses not counted. `now`: since the Unix epoch."""
        return self._time.seconds(now)

    @property
    def states(self) -> list[VariantState]:
        return list(self.variants.values())

    @property
    def is_under_way(self) -> bool:
        """True when every variant has a loss to show, or will have none."""
        return all(
            one.has_ended or (one.current and len(one.current.history)) for one in self.states
        )

    @property
    def is_at_rest(self) -> bool:
        """True when no variant trains or is about to."""
        return not any(one.tally.state.is_active for one in self.states)

    @property
    def has_ended(self) -> bool:
        """True when all variants have ended."""
        return all(one.has_ended and not one.pending.restarts for one in self.states)

    @property
    def has_results(self) -> bool:
        """True when any variant has trained for at least one epoch, and none trains."""
        return self.has_ended and any(one.tally.epoch_losses for one in self.states)

    @property
    def has_validation(self) -> bool:
        """True when the problem has held-out data, and a variant was measured on it."""
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
        """True when any variant trains or will after pending commands: space would pause."""
        return any(one.will_go for one in self.states)

    @property
    def slowest(self) -> VariantState:
        """The running variant with the fewest epochs done; of all, when none runs.

        Of several runs, one that has begun if there is any.
        """
        running = [one for one in self.states if not one.has_ended] or self.states
        if len(self.runs) > 1:
            running = [one for one in running if one.tally.n] or running
        return min(running, key=lambda one: one.tally.samples / max(one.tally.n, 1))

    @property
    def pace(self) -> float | None:
        """The wanted pace in epochs per second, of the first variant; None is free."""
        pending = self.states[0].pending.pace
        return pending[0] if pending else self.states[0].tally.pace

    @property
    def is_pace_pending(self) -> bool:
        return any(one.pending.pace is not None and not one.has_ended for one in self.states)

    @property
    def _live(self) -> list[VariantState]:
        """The variants that train, or that are about to begin anew."""
        return [one for one in self.states if not one.has_ended or one.pending.restarts]

    @property
    def transition(self) -> Transition | None:
        """The transition that any variant is in: the first of its kinds that is found."""
        found = {one.transition for one in self._live}
        return next((each for each in Transition if each in found), None)

    @property
    def word(self) -> str:
        """The activity of the run, in a few words."""
        if all(one.blocked for one in self._live or self.states):
            return self.states[0].blocked
        if transition := self.transition:
            return str(transition)
        live = self._live
        for state in (State.RUNNING, State.STARTING, State.PAUSED):
            if any(one.tally.state is state for one in live):
                return str(state)
        ended = {one.tally.state for one in self.states}
        if len(ended) == 1:
            return str(ended.pop())
        return "ended"
