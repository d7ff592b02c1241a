"""The screen's state of a run: a fold over its records. Plain Python, no widget, no file.

Everything in it came out of the run's logs, but for what the session says that no log may hold.
"""

from engine.log.notices import Notice, NoticeKind
from engine.log.records import AnyRecord, State, StateChanged, WorkerDied
from engine.log.summary import Tally
from engine.settings import RunSettings
from gdtui.state.timekeeping import Timekeeper
from gdtui.state.variant import Transition, VariantState


class Store:
    """All variants of a run."""

    def __init__(self, settings: RunSettings) -> None:
        self.settings = settings
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
            goes = self.variants[name].tally.state is State.RUNNING
            self._time.tell(name, goes=goes, at=record.wall_time)

    def heed(self, notice: Notice) -> None:
        """Take in a notice of the session about a log or a worker."""
        about = [self.variants[notice.variant]] if notice.variant else self.states
        for one in about:
            match notice.kind:
                case NoticeKind.LOG_BLOCKED:
                    one.is_blocked, one.notice = True, notice.text
                case NoticeKind.LOG_UNBLOCKED:
                    one.is_blocked, one.notice = False, ""
                case NoticeKind.DIED | NoticeKind.NOT_STARTED:
                    one.is_blocked, one.notice = False, notice.text
                case NoticeKind.SERVER_DIED:
                    pass

    def unblock(self) -> None:
        """Forget blocked logs, since writing is tried again: those still blocked will say so."""
        for one in self.states:
            if one.is_blocked:
                one.is_blocked, one.notice = False, ""

    def take_said(self) -> list[str]:
        """Take the logs' messages to the user, each once."""
        said = [text for one in self.states for text in one.said]
        for one in self.states:
            one.said.clear()
        return said

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
        """The running variant with the least progress; of all, when none runs."""
        running = [one for one in self.states if not one.has_ended] or self.states
        return min(running, key=lambda one: one.tally.samples)

    @property
    def pace(self) -> float | None:
        """The wanted pace in epochs per second; None is free."""
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
