"""Starts workers on a thread of its own, since that blocks while the fork server imports torch."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from queue import Empty, SimpleQueue

from engine.jobs.fork_server import start_worker
from engine.worker.tasks import WorkerTask


@dataclass(frozen=True, slots=True)
class NewWorker:
    """A worker that has been started for the variant of that name, and our end of its pipe."""

    variant: str
    process: BaseProcess
    pipe: Connection


@dataclass(frozen=True, slots=True)
class NotStarted:
    """A worker that could not be started."""

    variant: str
    text: str


class Starter:
    """Takes tasks, gives workers."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[WorkerTask | None] = SimpleQueue()
        self._results: SimpleQueue[NewWorker | NotStarted] = SimpleQueue()
        self._is_closed = False
        threading.Thread(target=self._run, daemon=True, name="starter").start()

    def request(self, task: WorkerTask) -> None:
        """Have a worker started; returns at once."""
        self._tasks.put(task)

    def results(self) -> Iterator[NewWorker | NotStarted]:
        """What has come of requests since; never blocks."""
        try:
            while True:
                yield self._results.get_nowait()
        except Empty:
            return

    def close(self) -> None:
        """Whoever is started from now on is told to stop."""
        self._is_closed = True
        self._tasks.put(None)  # its thread ends: a program may have many sessions

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                process, pipe = start_worker(task)
            except Exception as error:  # this thread must outlive whatever multiprocessing throws
                text = f"its worker could not be started ({error})"
                self._results.put(NotStarted(task.variant.name, text))
                continue
            if self._is_closed:
                pipe.close()  # tells it to stop
            else:
                self._results.put(NewWorker(task.variant.name, process, pipe))
