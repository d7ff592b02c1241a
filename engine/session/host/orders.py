"""Carries out the commands of a client on a session."""

from collections.abc import Mapping
from typing import Final

from engine.log.commands import (
    AnyCommand,
    Change,
    Extend,
    Measure,
    Pause,
    Restart,
    Resume,
    SetMeasuring,
    SetPace,
    StepOnce,
    Stop,
)
from engine.log.records import CommandSent
from engine.session.hosted import Hosted
from engine.session.session import Session

_OF_THE_RUN: Final = (Pause, Resume, SetPace, Extend, SetMeasuring)
"""Commands that concern all variants alike."""


class OrderError(Exception):
    """Commands that were not sent to any variant; the message says why."""


def obey(session: Hosted, commands: Mapping[str, AnyCommand]) -> tuple[CommandSent, ...]:
    """Send the commands to the session's variants; returns them as they were sent.

    Raises OrderError before anything is sent.
    """
    if not isinstance(session, Session):
        raise OrderError("it takes no commands; gdtui stop ends it")
    known = session.wanted
    for name in commands:
        if name not in known:
            raise OrderError(f"no variant {name!r}; choose from {', '.join(known)}")
    kinds = {type(command) for command in commands.values()}
    if len(kinds) != 1:
        raise OrderError("expected commands of one kind, at least one")
    command = next(iter(commands.values()))
    if isinstance(command, Stop):
        raise OrderError("a variant cannot be stopped alone; gdtui stop ends the run")
    if isinstance(command, _OF_THE_RUN):
        if commands.keys() != known.keys():
            raise OrderError("this command concerns all variants, and was sent to some")
        _obey_all(session, command)
    else:
        _obey_some(session, commands)
    return tuple(session.take_sent())


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
    if changes:
        session.change(changes)
    elif restarts:
        session.restart(restarts)
    elif all(isinstance(each, StepOnce) for each in commands.values()):
        session.step_once(commands)
    elif all(isinstance(each, Measure) for each in commands.values()):
        session.measure(commands)
