"""The commands that one variant has not confirmed yet. Fed by records; knows no widget.

A record that carries a command's id confirms it and all earlier commands of its kind. The session's
log and the variant's are read one after the other, so a confirmation can be read before its
command.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.log.commands import (
    AnyCommand,
    Change,
    Command,
    Extend,
    Measure,
    Pause,
    Restart,
    Resume,
    Rewind,
    SetMeasuring,
    SetPace,
    StepOnce,
    supersedes,
)
from engine.log.records import (
    AnyRecord,
    Changed,
    Chunk,
    CommandSent,
    End,
    Measured,
    MeasuringSet,
    Planned,
    Record,
    Refused,
    Started,
    StateChanged,
    WorkerDied,
    WorkerReplaced,
)
from engine.settings import VariantSettings

_SETTINGS = (Change, Restart, Rewind)
_GOING = (Pause, Resume, StepOnce)
_PLAN = (SetPace, Extend)
_MEASURING = (Measure, SetMeasuring)
_ALL = (*_SETTINGS, *_GOING, *_PLAN, *_MEASURING)
_CONFIRMS: dict[type[Record], tuple[type[Command], ...]] = {
    Started: _SETTINGS,
    Changed: (Change,),
    StateChanged: _GOING,
    Planned: _PLAN,
    Measured: _MEASURING,
    MeasuringSet: _MEASURING,
    WorkerReplaced: _ALL,
}
"""Kinds of commands that a record confirms by the command's id."""


@dataclass(slots=True)
class Pending:
    """The unconfirmed commands of one variant, oldest first."""

    commands: list[AnyCommand] = field(default_factory=list)
    asked: Sequence[AnyCommand] = ()
    """Later ones, without an id yet: the session has not answered them."""
    draft: VariantSettings | None = None
    """Settings requested while there is no worker to send them to, for the next restart."""
    _confirmed: dict[type[Command], int] = field(default_factory=dict)
    """The highest id confirmed, by kind."""
    _noted: int = 0
    """The id of the last command seen. A command may be seen when sent and again in the log."""
    _dropped: int = 0
    """Commands up to this id went to a worker that broke, so they will not be confirmed."""
    _has_ended: bool = False

    def add(self, record: AnyRecord) -> None:
        """Take in the next record about the variant."""
        if type(record) is Chunk:  # nearly all records are, and none concerns a command
            return
        if kinds := _CONFIRMS.get(type(record)):
            self._confirm(getattr(record, "command", 0), kinds)
        match record:
            case CommandSent():
                self._note(record)
            case Started():
                self.draft = None
            case Refused():
                refused = [type(each) for each in self.commands if each.id == record.command]
                self._confirm(record.command, tuple(refused) or (Change,))
            case StateChanged() if record.state.is_broken:
                self._dropped = max(self._dropped, record.heard)
                self._give_up(up_to=record.heard or None)
            case WorkerDied():
                self._give_up()
            case End():
                self._has_ended = True
                self._give_up()
            case _:
                pass

    @property
    def waiting(self) -> list[AnyCommand]:
        """All commands without effect yet, oldest first."""
        return [*self.commands, *self.asked]

    def settings(self, in_force: VariantSettings) -> VariantSettings:
        """The variant's settings once everything is confirmed."""
        told = [command.settings for command in self.waiting if isinstance(command, _SETTINGS)]
        return told[-1] if told else self.draft or in_force

    @property
    def restarts(self) -> bool:
        return any(isinstance(command, Restart | Rewind) for command in self.waiting)

    @property
    def rewinds(self) -> bool:
        return any(isinstance(command, Rewind) for command in self.waiting)

    @property
    def going(self) -> AnyCommand | None:
        """The last unconfirmed command to pause, to resume or to do one update."""
        return next(
            (command for command in reversed(self.waiting) if isinstance(command, _GOING)), None
        )

    @property
    def pace(self) -> tuple[float | None] | None:
        """The unconfirmed pace in a 1-tuple, since None is also a pace."""
        paces = [command.pace for command in self.waiting if isinstance(command, SetPace)]
        return (paces[-1],) if paces else None

    @property
    def measuring(self) -> bool | None:
        """The unconfirmed command to turn regular measuring on or off."""
        words = [command.is_on for command in self.waiting if isinstance(command, SetMeasuring)]
        return words[-1] if words else None

    @property
    def epochs(self) -> int | None:
        """The unconfirmed number of epochs."""
        epochs = [command.epochs for command in self.waiting if isinstance(command, Extend)]
        return epochs[-1] if epochs else None

    def _note(self, sent: CommandSent) -> None:
        """Keep a waiting command; the newest of a kind replaces those before it."""
        command = sent.command
        if self._has_ended or command.id <= self._noted:
            return
        self._noted = command.id
        if command.id <= max(self._confirmed.get(type(command), 0), self._dropped):
            return
        self.commands = [each for each in self.commands if not supersedes(command, each)]
        self.commands.append(command)

    def _confirm(self, command: int, kinds: tuple[type[Command], ...]) -> None:
        if not command:
            return
        for kind in kinds:
            self._confirmed[kind] = max(command, self._confirmed.get(kind, 0))
        self.commands = [
            waiting
            for waiting in self.commands
            if not (isinstance(waiting, kinds) and waiting.id <= command)
        ]

    def _give_up(self, up_to: int | None = None) -> None:
        """Give up on unconfirmed commands; the requested settings stay for the next restart.

        `up_to`: id of the last command to give up on; None means all.
        """
        lost = [each for each in self.commands if up_to is None or each.id <= up_to]
        told = [each.settings for each in lost if isinstance(each, _SETTINGS)]
        self.draft = told[-1] if told else self.draft
        self.commands = [each for each in self.commands if each not in lost]
