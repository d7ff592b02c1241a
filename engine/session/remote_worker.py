"""One variant's worker as its session knows it: its process, what it was told, how it ended."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import msgspec

from engine.jobs.child import Child
from engine.jobs.fork_server import start_process
from engine.log.commands import AnyCommand, supersedes
from engine.settings import Variant
from engine.worker.protocol import WorkerTask


@dataclass(slots=True)
class RemoteWorker:
    """The worker of one variant; another takes its place when it has died."""

    variant: Variant
    number: int = 0
    """The number of workers so far; that of the present one."""
    child: Child | None = None
    is_dead: bool = False
    server_died: bool = False
    """True once the user was told of it."""
    last_words: str = ""
    """The worker's reason for ending."""
    is_paused: bool = False
    """True between a pause and the command to go on; a replacement begins in this state."""

    def begin(self, make_task: Callable[[int], WorkerTask]) -> None:
        """Start a process; returns at once. `make_task` is given its number."""
        self.is_dead, self.server_died, self.last_words = False, False, ""
        self.number += 1
        start = partial(_start, make_task(self.number))
        self.child = Child(start, self.variant.name, supersedes=supersedes)

    @property
    def is_there(self) -> bool:
        """It was started, and has not died since."""
        return self.child is not None and not self.is_dead

    def send(self, command: AnyCommand) -> None:
        """Tell it; never blocks, also while it reads nothing."""
        if self.child is not None:
            self.child.send(msgspec.msgpack.encode(command), command)


def _start(task: WorkerTask) -> tuple[BaseProcess, Connection]:
    """Start a worker's process; blocks until torch is imported."""
    from engine.worker import main  # here, since the fork server's start must not wait for it

    return start_process(main.main, (task,), name=task.variant.name)
