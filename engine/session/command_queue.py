"""Numbers, logs and sends the commands to the workers.

A held key or a paste produces many commands at once. A command that a newer one supersedes before
it was sent is neither logged nor sent.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

from engine.log.commands import (
    AnyCommand,
    Change,
    Keep,
    Restart,
    Rewind,
    Share,
    Stop,
    without_superseded,
)
from engine.log.records import CommandSent
from engine.session.remote_worker import RemoteWorker
from engine.session.session_log import SessionLog

_TOGETHER_SECONDS: Final = 0.02
"""Seconds for which later commands are collected; the first is sent at once."""
_MOST_UNSEEN: Final = 10_000


class CommandQueue:
    """The queue of commands to the workers of a run."""

    def __init__(
        self,
        workers: Mapping[str, RemoteWorker],
        log: SessionLog,
        clock: Callable[[], float] = time.monotonic,
        *,
        last_id: int = 0,
    ) -> None:
        """`last_id`: of an earlier session. `clock` returns seconds, counted from any moment."""
        self._workers = workers
        self._log = log
        self._clock = clock
        self._waiting: dict[str, list[AnyCommand]] = {}
        self._flushed_at = -math.inf
        self._unseen: deque[CommandSent] = deque(maxlen=_MOST_UNSEEN)
        self.last_id = last_id
        """The id of the last command."""
        self.wanted = {name: worker.variant.settings for name, worker in workers.items()}
        """The latest settings requested for each variant."""

    def tell(self, commands: Mapping[str, Callable[..., AnyCommand]]) -> None:
        """Make a command with the next `id` for each of these variants. Never blocks.

        It is sent at once, or by a later `flush_if_due` if others were sent just before.
        """
        for name, make in commands.items():
            self.last_id += 1
            if self._workers[name].is_there:
                command = make(id=self.last_id)
                waiting = self._waiting.get(name, [])
                self._waiting[name] = without_superseded([*waiting, command])
                self._unseen.append(CommandSent(variant=name, command=command))
                if isinstance(command, Change | Restart | Rewind):
                    self.wanted[name] = command.settings
        self.flush_if_due()

    def flush_if_due(self) -> None:
        """Flush, unless the last commands were sent just before."""
        if self._clock() - self._flushed_at >= _TOGETHER_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Log and send the waiting commands."""
        if not any(self._waiting.values()):
            return
        waiting, self._waiting = self._waiting, {}
        for name, commands in waiting.items():
            for command in commands:
                self._log.write(CommandSent(variant=name, command=command))
                self._workers[name].send(command)
        self._flushed_at = self._clock()

    def take_sent(self) -> list[CommandSent]:
        """The commands since the last call, available before they are in the log."""
        sent = [*self._unseen]
        self._unseen.clear()
        return sent

    def drop(self, name: str) -> None:
        """Drop the commands waiting for a worker that has died."""
        self._waiting.pop(name, None)

    def share(self) -> None:
        """Tell all workers how many variants share the space for checkpoints; not logged.

        Removed ones count, since their checkpoints stay.
        """
        for worker in self._workers.values():
            if worker.is_there:
                worker.send(Share(id=self.last_id, variants=len(self._workers)))

    def keep(self) -> None:
        """Command all workers to take a checkpoint; not logged, since it changes nothing."""
        for worker in self._workers.values():
            if worker.is_there:
                worker.send(Keep(id=self.last_id))

    def stop(self) -> None:
        """Command all workers to stop, and drop all waiting commands.

        This is not logged, since every session ends with it.
        """
        self._waiting.clear()
        for worker in self._workers.values():
            if worker.is_there:
                worker.send(Stop(id=self.last_id + 1))
