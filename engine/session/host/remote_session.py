"""The session of a host, as a client commands it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from engine.log.commands import (
    Add,
    Answer,
    AnyCommand,
    Change,
    Extend,
    Fork,
    Measure,
    Pause,
    Remove,
    Restart,
    Resume,
    Rewind,
    SetMeasuring,
    SetPace,
    StepOnce,
    TypeText,
    supersedes,
)
from engine.log.notices import Notice, NoticeKind
from engine.log.records import CommandSent, Point
from engine.session.host.client import Channel, HostLink
from engine.session.host.protocol import Done, Notices, Refusal, Welcome
from engine.settings import VariantSettings

_KEY_SECONDS: Final = 0.1
"""Seconds that a key waits for the answer, which a host gives within a few milliseconds.

The next key starts from the settings in that answer.
"""
_START_SECONDS: Final = 5.0
"""The same for the first key, for which the host may still be starting."""
_ADDING: Final = (Fork, Add)
_NO_ID: Final = 0
"""The host numbers the commands."""


class RemoteSession:
    """Commands to a session in another process; its methods are those of `Session`.

    Most of them return within milliseconds, with the answer. A host that is stopped answers later,
    and its answers are then taken in by `poll`.
    """

    is_shared: Final = True

    def __init__(
        self,
        link: Channel,
        names: Iterable[str] = (),
        at_stop: Callable[[], object] | None = None,
        notices: Iterable[Notice] = (),
        about: str = "",
    ) -> None:
        """`names`: the run's variants, for a host that has not answered the greeting yet.

        `notices`: the first ones. `at_stop`: called by `poll` once the host has ended in order.
        `about`: the variants of a script, whose run has other hosts as well.
        """
        self._about = about
        self._at_stop = at_stop
        self._link = link
        self._names = list(names)
        self._has_answered = False
        self._sent: list[CommandSent] = []
        self._notices: list[Notice] = [*notices]
        if isinstance(link, HostLink):
            self._take_welcome(link.welcome)
        self._open: set[int] = set()
        """Requests without an answer yet."""
        self._asked: dict[str, dict[int, AnyCommand]] = {}
        """Their commands by variant, without superseded ones, each with its request's number."""
        self._is_lost_told = False
        self._gone: dict[str | None, str] = {}

    def change(self, settings: Mapping[str, VariantSettings]) -> None:
        """Train the named variants with these settings from their next group of batches on."""
        self._order({name: Change(id=_NO_ID, settings=new) for name, new in settings.items()})

    def restart(self, settings: Mapping[str, VariantSettings]) -> None:
        """Begin the next generation of the named variants; replace dead workers."""
        self._order({name: Restart(id=_NO_ID, settings=new) for name, new in settings.items()})

    def rewind(self, settings: Mapping[str, VariantSettings], points: Mapping[str, Point]) -> None:
        """Take the named variants back to points of their own, to go on with these settings."""
        commands = {}
        for name, new in settings.items():
            at = points[name]
            commands[name] = Rewind(
                id=_NO_ID, settings=new, generation=at.generation, batches=at.batches
            )
        self._order(commands)

    def fork(self, settings: VariantSettings, point: Point, name: str = "") -> str:
        """Add a variant that begins at a point of another one; its name, "" if not known yet."""
        generation, batches = point.generation, point.batches
        fork = Fork(id=_NO_ID, settings=settings, generation=generation, batches=batches, name=name)
        return self._add({point.variant: fork})

    def add(self, settings: VariantSettings, name: str = "") -> str:
        """Add a variant that begins at the initial weights; its name, "" if not known yet."""
        return self._add({self._names[0]: Add(id=_NO_ID, settings=settings, name=name)})

    def remove(self, names: Iterable[str]) -> None:
        """Stop the named variants and drop them from the comparison."""
        self._order(dict.fromkeys(names, Remove(id=_NO_ID)))

    def _add(self, command: Mapping[str, Fork | Add]) -> str:
        answer = self._order(command)
        return answer.sent[0].variant if isinstance(answer, Done) and answer.sent else ""

    def pause(self) -> None:
        """Stop all variants after the current batch."""
        self._order_all(Pause(id=_NO_ID))

    def hold(self) -> None:
        """Pause all variants until `release`, or until this client has disconnected."""
        self._order(dict.fromkeys(self._names, Pause(id=_NO_ID)), is_hold=True)

    def release(self) -> None:
        """End the hold; training goes on once no other client holds it."""
        self._order(dict.fromkeys(self._names, Resume(id=_NO_ID)), is_hold=True)

    def resume(self) -> None:
        """Resume all variants, and retry logs that could not be written."""
        self._order_all(Resume(id=_NO_ID))

    def step_once(self, names: Iterable[str]) -> None:
        """Train the named variants for one update, then pause them."""
        self._order(dict.fromkeys(names, StepOnce(id=_NO_ID)))

    def set_pace(self, pace: float | None) -> None:
        """Set the pace of all variants in epochs per second; None means as fast as possible."""
        self._order_all(SetPace(id=_NO_ID, pace=pace))

    def extend(self, epochs: int) -> None:
        """Train all variants up to this many epochs in total."""
        self._order_all(Extend(id=_NO_ID, epochs=epochs))

    def measure(self, names: Iterable[str]) -> None:
        """Measure the noise scale and sharpness of the named variants now."""
        self._order(dict.fromkeys(names, Measure(id=_NO_ID)))

    def set_measuring(self, is_on: bool) -> None:
        """Set whether all variants measure periodically, or only on request."""
        self._order_all(SetMeasuring(id=_NO_ID, is_on=is_on))

    def answer(self, name: str, question: int, choice: str) -> None:
        """Answer a question about what the program of this variant prints."""
        self._order({name: Answer(id=_NO_ID, question=question, choice=choice)})

    def type_text(self, name: str, text: str) -> None:
        """Type into the terminal of the program of this variant."""
        self._order({name: TypeText(id=_NO_ID, data=text.encode())})

    def take_sent(self) -> Sequence[CommandSent]:
        """The commands of this client since the last call that the host has sent."""
        sent, self._sent = self._sent, []
        return sent

    @property
    def asked(self) -> Mapping[str, Sequence[AnyCommand]]:
        """The commands of this client that the host has not answered yet, by variant."""
        if self._link.lost:
            return {}
        return {name: tuple(commands.values()) for name, commands in self._asked.items()}

    def poll(self) -> list[Notice]:
        """Notices of the host since the last call. Never blocks."""
        for message in self._link.receive():
            match message:
                case Notices():
                    self._notices += message.notices
                case Done() | Refusal():
                    self._take(message.number, message)
                case Welcome():
                    self._take_welcome(message)
                case _:
                    pass
        if self._link.lost and not self._is_lost_told:
            self._is_lost_told = True
            if self._link.has_ended_in_order and self._at_stop is not None:
                self._at_stop()
            # A run that several scripts share may have other hosts, which obey.
            kind = NoticeKind.SERVER_DIED if self._about else NoticeKind.HOST_GONE
            self._notices.append(Notice(kind=kind, variant=None, text=self._end))
        notices, self._notices = self._notices, []
        for notice in notices:
            self._note_gone(notice)
        return notices

    @property
    def names(self) -> Sequence[str]:
        """The variants that this host trains, as far as it has answered."""
        return self._names

    @property
    def _end(self) -> str:
        if self._about:
            return _end_of_script(self._about, self._link)
        if self._link.has_ended_in_order:
            text = f"the host of this run (process {self._link.pid}) has ended. "
            return text + "Everything logged is safe; keys have no effect now; q leaves"
        return (
            f"the host of this run (process {self._link.pid}) is gone: it crashed or was killed, "
            "and its workers have ended. Everything logged is safe; keys have no effect now; "
            "q leaves, then gdtui attach takes it up again"
        )

    def _note_gone(self, notice: Notice) -> None:
        if notice.kind is NoticeKind.LOG_GONE:
            self._gone[notice.variant] = notice.text
        elif notice.kind is NoticeKind.LOG_UNBLOCKED:
            self._gone.pop(notice.variant, None)

    @property
    def gone(self) -> tuple[str, ...]:
        """Messages about files of the run that are gone, each with the reason."""
        return tuple(self._gone.values())

    @property
    def is_lost(self) -> bool:
        """True once the host has ended."""
        return bool(self._link.lost)

    def end(self) -> None:
        """Ask the host to end the run."""
        self._link.end()

    def close(self) -> None:
        """Disconnect; the run continues."""
        self._link.close()

    def _take_welcome(self, welcome: Welcome) -> None:
        self._names = list(welcome.settings)
        self._has_answered = True
        self._notices += welcome.notices

    def _order_all(self, command: AnyCommand) -> None:
        self._order(dict.fromkeys(self._names, command))

    def _order(
        self, commands: Mapping[str, AnyCommand], *, is_hold: bool = False
    ) -> Done | Refusal | None:
        """Send commands; the answer, None if it is not there yet."""
        if not commands or self._link.lost:
            return None
        number = self._link.request(commands, is_hold=is_hold)
        # While older answers are missing, the host is known not to answer at once.
        patience = _KEY_SECONDS if self._has_answered else _START_SECONDS
        answer = None if self._open else self._link.wait_for(number, patience)
        self._open.add(number)
        self._ask(number, commands)
        if answer is not None:
            self._take(number, answer)
        return answer

    def _ask(self, number: int, commands: Mapping[str, AnyCommand]) -> None:
        for name, command in commands.items():
            before = self._asked.get(name, {})
            kept = {at: old for at, old in before.items() if not supersedes(command, old)}
            self._asked[name] = {**kept, number: command}

    def _take(self, number: int, answer: Done | Refusal) -> None:
        self._open.discard(number)
        for commands in self._asked.values():
            commands.pop(number, None)
        self._has_answered = True
        if isinstance(answer, Done):
            self._sent += [each for each in answer.sent if not isinstance(each.command, _ADDING)]
        else:
            text = f"{self._about or 'the host'} refused: {answer.reason}"
            self._notices.append(Notice(kind=NoticeKind.SERVER_DIED, variant=None, text=text))


def _end_of_script(about: str, link: Channel) -> str:
    reason = "has ended" if link.has_ended_in_order else "is gone: it crashed or was killed"
    return f"{about}: its script (process {link.pid}) {reason}. Everything logged is safe"
