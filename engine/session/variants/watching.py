"""Watches over the workers of a session: their notes and deaths, files that cannot be written."""

from functools import partial
from typing import Final

import msgspec

from engine.jobs.child import Child
from engine.log.commands import Pause, Restart, Resume, Rewind
from engine.log.directory import RunDirectory
from engine.log.filesystem.disk_errors import cannot_write
from engine.log.filesystem.identity import FileGoneError
from engine.log.notices import Notice, NoticeKind
from engine.log.records import Point, WorkerDied
from engine.session.builds.queue import BuildQueue
from engine.session.command_queue import CommandQueue
from engine.session.past import ResumedRun
from engine.session.remote_worker import RemoteWorker, Successor
from engine.session.run_files import RunFiles
from engine.session.session_log import SessionLog
from engine.session.tasks import build_task, worker_task
from engine.settings import Variant, VariantSettings
from engine.settings.text import cleaned
from engine.worker.protocol import (
    AnyNote,
    BuildWanted,
    DeviceLost,
    LogBlocked,
    LogRefused,
    LogUnblocked,
    NoCheckpoint,
    RunClock,
    WorkerReady,
    WorkerTask,
)

_DEATH_SECONDS: Final = 0.2
"""Seconds that the screen may wait for the exit code of a dead worker."""

_NOTE: Final = msgspec.msgpack.Decoder(AnyNote)


class WatchedWorkers:
    """The workers of a run, one for each variant; the base of `Session`."""

    added: frozenset[str] = frozenset()
    """Variants that this session has added; clients may not know them yet."""

    def __init__(self, run: RunDirectory) -> None:
        """Begin a run, or go on with a ResumedRun from where it was left."""
        self.run = run
        settings = run.info.settings
        self._past = past = run.past if isinstance(run, ResumedRun) else None
        self.epochs, self._pace = (past or settings).epochs, (past or settings).pace
        self._measuring = settings.measuring
        new = {variant.name: RemoteWorker(variant) for variant in settings.variants}
        self._workers = new if past is None else past.workers()
        self._notices: list[Notice] = []
        self._clock = RunClock.start()
        self._log = SessionLog(run, self._clock, self._heed_log_error)
        self.files = RunFiles(run, self._log.identity)
        """The run's files, and which of them are gone."""
        self._blocked: set[str] = set()
        """Variants whose blocked log was reported to the user."""
        last_id = 0 if past is None else past.last_command
        self._commands = CommandQueue(self._workers, self._log, last_id=last_id)
        self.wanted = self._commands.wanted
        """The latest settings requested for each variant."""
        self._builds = BuildQueue()
        self._is_closed = False

    # --- Starting -------------------------------------------------------------------------------

    def start(self) -> None:
        """Start every worker; return at once, while torch is being imported."""
        for worker in self._workers.values():
            if worker.is_removed:
                continue
            if self._past is not None:  # commands that did not arrive are lost
                self._log.write(worker.replaced(self._commands.last_id))
            worker.begin(partial(self._task, worker, worker.variant))

    def _task(self, worker: RemoteWorker, variant: Variant, number: int) -> WorkerTask:
        return worker_task(
            self.run,
            worker,
            variant,
            number,
            continued=self.files.log_of(variant.name),
            epochs=self.epochs,
            pace=self._pace,
            measuring=self._measuring,
            is_paused=worker.is_paused or self.files.is_run_gone,
            clock=self._clock,
        )

    def _begin_again(self, name: str, begin: Successor) -> None:
        """Let a variant begin the next generation; without a worker, start another one."""
        worker = self._workers[name]
        if worker.is_dead:
            self._replace(name, worker, begin.settings, begin.origin)
        elif worker.is_removed:
            worker.successor = begin  # once the present one has ended
        elif begin.origin is None:
            self._commands.tell({name: partial(Restart, settings=begin.settings)})
        else:
            generation, batches = begin.origin.generation, begin.origin.batches
            rewind = partial(Rewind, settings=begin.settings, generation=generation)
            self._commands.tell({name: partial(rewind, batches=batches)})

    def _replace(
        self,
        name: str,
        worker: RemoteWorker,
        settings: VariantSettings,
        origin: Point | None = None,
    ) -> None:
        """Start another worker, which goes on with the log of one that has ended.

        `origin`: the point to go back to; None for the initial weights, or to go on.
        """
        self._log.write(worker.replaced(self._commands.last_id))
        self.wanted[name] = settings
        worker.origin = origin
        worker.begin(partial(self._task, worker, Variant(name=name, settings=settings)))

    # --- Watching over the workers --------------------------------------------------------------

    def poll(self) -> list[Notice]:
        """Notices for the user since the last call; sends waiting commands. Never blocks."""
        self._commands.flush_if_due()
        for name, worker in self._workers.items():
            if worker.child is not None and not worker.is_dead:
                self._watch(name, worker, worker.child)
        was_gone = self.files.is_run_gone
        self._answer_builds()
        self._notices += self.files.poll()
        if self.files.is_run_gone != was_gone:
            self._hold(not was_gone)
        notices, self._notices = self._notices, []
        return notices

    def _answer_builds(self) -> None:
        """Send the workers the compiled steps that they wanted."""
        for name, answer in self._builds.poll():
            self._workers[name].answer(answer)

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the running workers."""
        return {
            name: worker.child.pid
            for name, worker in self._workers.items()
            if worker.child is not None and worker.child.pid is not None and not worker.is_dead
        }

    def _watch(self, name: str, worker: RemoteWorker, child: Child) -> None:
        """Read the notes from a worker; once its pipe has ended, record its death."""
        for message in child.receive():
            self._heed(name, worker, cleaned(_NOTE.decode(message)))
        if child.start_failure is not None:
            text = f"its worker could not be started ({child.start_failure})"
            self._bury(name, worker, NoticeKind.NOT_STARTED, text)
        elif child.has_ended and worker.successor is not None:
            self._commands.drop(name)
            self._replace(name, worker, *worker.successor)
        elif child.has_ended and worker.is_removed:
            worker.is_dead = True
        elif child.has_ended:
            cause = str(child.cause_of_death(_DEATH_SECONDS))
            if worker.last_words:
                cause = f"has ended: {worker.last_words}"
            self._bury(name, worker, NoticeKind.DIED, f"its worker {cause}")
        elif child.has_lost_server and not worker.server_died:
            worker.server_died = True
            self._tell(
                NoticeKind.SERVER_DIED,
                name,
                "the process that starts workers has died; running workers continue",
            )

    def _heed(self, name: str, worker: RemoteWorker, note: AnyNote) -> None:
        match note:
            case WorkerReady():
                self.files.learn(name, note.log)
            case LogBlocked(is_gone=True):
                self.files.report(name, note.detail)
            case LogBlocked():
                self._blocked.add(name)
                text = f"{note.detail}. Paused, nothing is lost: {note.remedy}"
                self._tell(NoticeKind.LOG_BLOCKED, name, text)
            case NoCheckpoint():
                self._tell(NoticeKind.NO_CHECKPOINT, name, note.detail)
            case LogRefused():
                worker.last_words = note.detail
            case BuildWanted():
                self._builds.want(name, note, partial(build_task, self.run, worker))
            case DeviceLost():
                worker.successor = Successor(note.settings, note.origin)
            case LogUnblocked():
                self.files.report(name, "")
                if name in self._blocked:
                    self._blocked.remove(name)
                    self._tell(NoticeKind.LOG_UNBLOCKED, name, "log written again")
            case _:
                pass

    def _bury(self, name: str, worker: RemoteWorker, kind: NoticeKind, text: str) -> None:
        worker.is_dead = True
        self._commands.drop(name)
        self.files.report(name, "")
        self._log.write(WorkerDied(variant=name, detail=text, worker=worker.number))
        self._tell(kind, name, text)

    def _tell(self, kind: NoticeKind, variant: str | None, text: str) -> None:
        self._notices.append(Notice(kind=kind, variant=variant, text=text))

    # --- Files that cannot be written -----------------------------------------------------------

    def _hold(self, is_held: bool) -> None:
        """Pause all variants that are not paused already while the run is gone, or resume them."""
        if not is_held:
            self._log.retry()
        going = [name for name, worker in self._workers.items() if not worker.is_paused]
        self._commands.tell(dict.fromkeys(going, Pause if is_held else Resume))

    def _heed_log_error(self, error: OSError) -> None:
        """Handle an error in writing the session's log."""
        if isinstance(error, FileGoneError):
            self.files.expire()
            return
        self._tell(NoticeKind.LOG_BLOCKED, None, cannot_write(error, self.run.session_log))
