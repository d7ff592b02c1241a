"""A variant's worker as seen from the session's process: its child process and how it ended."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import NamedTuple

import msgspec

from engine.jobs.child import Child
from engine.jobs.fork_server import start_process
from engine.log.commands import AnyCommand, Stop, supersedes
from engine.log.records import Point, WorkerReplaced
from engine.settings import Variant, VariantSettings
from engine.worker.protocol import BuildAnswer, WorkerTask


class Successor(NamedTuple):
    """The beginning of a worker that follows another one."""

    settings: VariantSettings
    origin: Point | None = None
    """The point to go back to; None for the initial weights."""


@dataclass(slots=True)
class RemoteWorker:
    """The worker of a variant; `begin` replaces one that has died."""

    variant: Variant
    number: int = 0
    """The number of the current worker, from 1; 0 before the first."""
    resumes: int = 0
    """The number of the worker that goes on with an earlier session's training; 0 for none."""
    threads: int = 0
    """CPU threads of the variant's training; 0 for a fair share, before the first worker."""
    device: str = ""
    """The device of its training; "" for that of the run's settings."""
    origin: Point | None = None
    """The point after which the next worker begins; None for the initial weights."""
    is_removed: bool = False
    """True from its removal until another worker takes it in again."""
    child: Child | None = None
    is_dead: bool = False
    server_died: bool = False
    """True once the death of the fork server has been reported to the user."""
    last_words: str = ""
    """The worker's reason for ending."""
    successor: Successor | None = None
    """The worker that shall follow when this one ends."""
    is_paused: bool = False
    """True between a pause and the command to resume; a replacement begins in this state."""

    def begin(self, make_task: Callable[[int], WorkerTask]) -> None:
        """Start a process with the task that `make_task` returns for its number; do not wait."""
        self.is_dead, self.server_died, self.last_words = False, False, ""
        self.successor, self.is_removed = None, False
        self.number += 1
        task = make_task(self.number)
        self.threads, self.device, self.origin = task.threads, task.device, None
        start = partial(_start, task)
        self.child = Child(start, self.variant.name, supersedes=_supersedes)

    def replaced(self, command: int) -> WorkerReplaced:
        """The record that the next worker follows; `command` is the last one that was sent."""
        return WorkerReplaced(variant=self.variant.name, command=command, worker=self.number + 1)

    @property
    def is_there(self) -> bool:
        """True if it was started, has not died, and was not removed."""
        return self.child is not None and not self.is_dead and not self.is_removed

    def remove(self, last_id: int) -> None:
        """Stop it, as its variant was removed; `last_id` is that of the last command."""
        if self.is_there:
            self.send(Stop(id=last_id + 1))
        self.is_removed, self.successor = True, None

    def send(self, command: AnyCommand) -> None:
        """Send a command; never blocks, even while the worker is not reading."""
        if self.child is not None:
            self.child.send(msgspec.msgpack.encode(command), command)

    def answer(self, answer: BuildAnswer) -> None:
        """Send a compiled step that the worker wanted; never blocks."""
        if self.child is not None:
            self.child.send(msgspec.msgpack.encode(answer), answer)


def _supersedes(new: AnyCommand | BuildAnswer, old: AnyCommand | BuildAnswer) -> bool:
    """True if `new` makes `old` unnecessary; an answer stands for itself, up to the end."""
    if isinstance(new, BuildAnswer) or isinstance(old, BuildAnswer):
        return isinstance(new, Stop)
    return supersedes(new, old)


def _start(task: WorkerTask) -> tuple[BaseProcess, Connection]:
    """Start a worker's process; blocks until torch is imported."""
    from engine.worker import main  # here, since the fork server's start must not wait for it

    return start_process(main.main, (task,), name=task.variant.name)
