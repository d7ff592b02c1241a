"""Carries out the commands of clients on a session, and knows for which clients training waits.

A client may hold training: it waits until each client that holds it has released it or has gone.
Only a pause that a user chose outlasts all clients.
"""

from collections.abc import Mapping
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
    Stop,
    TypeText,
)
from engine.log.records import CommandSent, Point
from engine.session.host.protocol import Order
from engine.session.hosted import Hosted, OrderError, TakesOrders
from engine.session.session import Session

_OF_THE_RUN: Final = (Pause, Resume, SetPace, Extend, SetMeasuring)
"""Commands that concern all variants alike."""


class Orders:
    """The orders of all clients of a host to its session."""

    def __init__(self, session: Hosted) -> None:
        self._session = session
        self._holders: set[object] = set()
        """The clients that made training wait, and have not released it."""
        self._is_paused = False
        """True while training is paused because a client chose so."""

    def obey(self, client: object, order: Order) -> tuple[CommandSent, ...]:
        """Carry out an order; returns its commands as they were sent. Raises OrderError."""
        commands = order.commands
        check(self._session, commands)
        kind = type(next(iter(commands.values())))
        if order.is_hold and kind in (Pause, Resume):
            if not self._has_effect(client, kind):
                return ()
        elif kind in (Pause, StepOnce, Resume):
            self._is_paused = kind is not Resume
            self._holders.clear()  # a choice of a user, which stays when the holders have gone
        return obey(self._session, commands)

    def _has_effect(self, client: object, kind: type[AnyCommand]) -> bool:
        """Count a hold or a release; True for the first hold and the last release."""
        if self._is_paused:
            return False
        others = self._holders - {client}
        self._holders = others | {client} if kind is Pause else others
        return not others

    def leave(self, client: object) -> None:
        """End what a client that has gone made training wait for."""
        if client in self._holders:
            self._holders.remove(client)
            if not self._holders:
                self._session.resume()


def check(session: Hosted, commands: Mapping[str, AnyCommand]) -> None:
    """Raise OrderError for commands that `obey` cannot send."""
    if not isinstance(session, Session | TakesOrders):
        raise OrderError("it takes no commands; gdtui stop ends it")
    known = session.wanted
    for name in commands:
        if name not in known:
            raise OrderError(f"no variant {name!r}; choose from {', '.join(known)}")
    kinds = {type(command) for command in commands.values()}
    if len(kinds) != 1:
        raise OrderError("expected commands of one kind, at least one")
    (kind,) = kinds
    if kind in (Answer, TypeText) and isinstance(session, Session):
        raise OrderError("only a program that gdtui run started takes answers and input")
    if kind is Stop:
        raise OrderError("a variant cannot be stopped alone; gdtui stop ends the run")
    added = session.added if isinstance(session, Session) else frozenset[str]()
    if kind in _OF_THE_RUN and not commands.keys() >= known.keys() - added:
        raise OrderError("this command concerns all variants, and was sent to some")


def obey(session: Hosted, commands: Mapping[str, AnyCommand]) -> tuple[CommandSent, ...]:
    """Send the commands to the session's variants; returns them as they were sent.

    Raises OrderError before anything is sent.
    """
    check(session, commands)
    if isinstance(session, TakesOrders):
        return session.obey(commands)
    assert isinstance(session, Session)
    command = next(iter(commands.values()))
    if isinstance(command, Fork | Add):
        return (_add(session, next(iter(commands)), command),)
    if isinstance(command, _OF_THE_RUN):
        _obey_all(session, command)
    else:
        _obey_some(session, commands)
    return tuple(session.take_sent())


def _add(session: Session, source: str, command: Fork | Add) -> CommandSent:
    """Add a variant; returns the command with its name. Raises VariantError, an OrderError."""
    if isinstance(command, Add):
        name = session.add(command.settings, command.name)
    else:
        point = Point(variant=source, generation=command.generation, batches=command.batches)
        name = session.fork(command.settings, point, command.name)
    return CommandSent(variant=name, command=command)


def _obey_all(session: Session, command: AnyCommand) -> None:
    match command:
        case Pause():
            session.pause()
        case Resume():
            session.resume()
        case SetPace(pace=pace):
            session.set_pace(pace)
        case Extend(epochs=epochs):
            session.extend(epochs)
        case SetMeasuring(is_on=is_on):
            session.set_measuring(is_on)
        case _:
            pass


def _obey_some(session: Session, commands: Mapping[str, AnyCommand]) -> None:
    changes = {name: each.settings for name, each in commands.items() if isinstance(each, Change)}
    restarts = {name: each.settings for name, each in commands.items() if isinstance(each, Restart)}
    rewinds = {name: each for name, each in commands.items() if isinstance(each, Rewind)}
    if changes:
        session.change(changes)
    elif restarts:
        session.restart(restarts)
    elif rewinds:
        session.rewind(
            {name: each.settings for name, each in rewinds.items()},
            {
                name: Point(generation=each.generation, batches=each.batches)
                for name, each in rewinds.items()
            },
        )
    elif all(isinstance(each, Remove) for each in commands.values()):
        session.remove(commands)
    elif all(isinstance(each, StepOnce) for each in commands.values()):
        session.step_once(commands)
    elif all(isinstance(each, Measure) for each in commands.values()):
        session.measure(commands)
