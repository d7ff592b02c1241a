"""A variant's worker as seen from the session's process: its child process and how it ended."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import msgspec

from engine.jobs.child import Child
from engine.jobs.fork_server import start_process
from engine.log.commands import AnyCommand, supersedes
from engine.log.records import WorkerReplaced
from engine.settings import Variant, VariantSettings
from engine.worker.protocol import WorkerTask


@dataclass(slots=True)
class RemoteWorker:
    """The worker of a variant; `begin` replaces one that has died."""

    variant: Variant
    number: int = 0
    """The number of the current worker, from 1; 0 before the first."""
    resumes: int = 0
    """The number of the worker that goes on with an earlier session's training; 0 for none."""
    threads: int = 0
    """CPU threads of that training; 0 for a fair share."""
    child: Child | None = None
    is_dead: bool = False
    server_died: bool = False
    """True once the death of the fork server has been reported to the user."""
    last_words: str = ""
    """The worker's reason for ending."""
    successor: VariantSettings | None = None
    """The settings of the worker that shall follow when this one ends, as it asked for."""
    is_paused: bool = False
    """True between a pause and the command to resume; a replacement begins in this state."""

    def begin(self, make_task: Callable[[int], WorkerTask]) -> None:
        """Start a process with the task that `make_task` returns for its number; do not wait."""
        self.is_dead, self.server_died, self.last_words = False, False, ""
        self.successor = None
        self.number += 1
        start = partial(_start, make_task(self.number))
        self.child = Child(start, self.variant.name, supersedes=supersedes)

    def replaced(self, command: int) -> WorkerReplaced:
        """The record that the next worker follows; `command` is the last one that was sent."""
        return WorkerReplaced(variant=self.variant.name, command=command, worker=self.number + 1)

    @property
    def is_there(self) -> bool:
        """True if it was started and has not died."""
        return self.child is not None and not self.is_dead

    def send(self, command: AnyCommand) -> None:
        """Send a command; never blocks, even while the worker is not reading."""
        if self.child is not None:
            self.child.send(msgspec.msgpack.encode(command), command)


def _start(task: WorkerTask) -> tuple[BaseProcess, Connection]:
    """Start a worker's process; blocks until torch is imported."""
    from engine.worker import main  # here, since the fork server's start must not wait for it

    return start_process(main.main, (task,), name=task.variant.name)
