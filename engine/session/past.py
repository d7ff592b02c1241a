"""The state in which a run's earlier session left it, so that another can go on with it."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from engine.log.commands import Restart, Rewind
from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.filesystem.holding import is_locked
from engine.log.follow import Follower
from engine.log.records import (
    AnyRecord,
    CommandSent,
    Point,
    Record,
    Refused,
    Started,
    StateChanged,
    VariantAdded,
    WorkerDied,
    WorkerReplaced,
)
from engine.log.summary import Tally
from engine.session.remote_worker import RemoteWorker
from engine.settings import Variant

_END_SECONDS: Final = 5.0
"""Seconds that workers may take to end after their host was killed."""


class PastVariant(msgspec.Struct, frozen=True, kw_only=True):
    """A variant as its log leaves it."""

    variant: Variant
    """Its name, and the settings in force."""
    worker: int
    """The number of its last worker."""
    threads: int
    """CPU threads of its training, on which the rounding of sums depends; 0 if none began."""
    origin: Point | None = None
    """The point at which it is yet to begin; None if it has begun, or begins at the start."""
    is_removed: bool = False


class PastRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run as its logs leave it."""

    variants: tuple[PastVariant, ...]
    epochs: int
    """Planned epochs."""
    pace: float | None
    last_command: int
    """The id of the last command that was sent."""

    def workers(self) -> dict[str, RemoteWorker]:
        """Workers to be started, which go on with the logs of the last ones."""
        return {
            each.variant.name: RemoteWorker(
                each.variant,
                number=each.worker,
                resumes=each.worker + 1,
                threads=each.threads,
                origin=each.origin,
                is_removed=each.is_removed,
                is_dead=each.is_removed,
            )
            for each in self.variants
        }


class ResumedRun(RunDirectory):
    """A run that goes on: held by this process, with the state in which its last session left it.

    Its directory is never removed by the process that goes on with it, whatever happens.
    """

    past: PastRun

    @classmethod
    def of(cls, run: RunDirectory, epochs: int | None = None) -> "ResumedRun":
        """A run that this process holds, to go on up to so many epochs in total.

        Raises RunDirectoryError if a log is damaged.
        """
        resumed = cls(run.path, run.info, is_ours=True)
        past = read_past(run)
        resumed.past = past if epochs is None else replace(past, epochs=epochs)
        resumed.custody = run.custody
        return resumed

    @classmethod
    def take_up(cls, path: Path, epochs: int | None = None) -> "ResumedRun":
        """Hold the run at `path`; RunDirectoryError if it is running, damaged or not there."""
        run = RunDirectory.open(path)
        running = RunDirectoryError(f"{path} is running: gdtui attach shows it", path)
        try:
            run.hold()
        except RunDirectoryError:
            if _is_written(run):
                raise running from None
            raise
        try:
            deadline = time.monotonic() + _END_SECONDS
            while _is_written(run):  # by workers whose host was killed, and which end with it
                if time.monotonic() > deadline:
                    raise running
                time.sleep(_END_SECONDS / 100)
            return cls.of(run, epochs)
        except BaseException:
            run.custody.release()
            raise


def _is_written(run: RunDirectory) -> bool:
    """True while a process holds one of its logs."""
    return any(map(is_locked, (run.session_log, *(run.path / log for log in run.info.logs))))


def read_past(run: RunDirectory) -> PastRun:
    """The past of a run that is not running. Raises RunDirectoryError if a log is damaged."""
    settings = run.info.settings
    folds = {each.name: _Fold(each) for each in settings.variants}
    last_command = 0
    follower = Follower(run)
    while records := list(follower.read()):
        for name, record in records:
            folds[name].add(record)
            last_command = max(last_command, _command_of(record))
    if follower.damage:
        raise RunDirectoryError(f"{follower.damage[0]}; a run can only go on from sound logs")
    begun = [each.tally for each in folds.values() if each.tally.generation]
    threads = {name: each.tally.threads for name, each in folds.items()}
    return PastRun(
        variants=tuple(each.past(threads) for each in folds.values()),
        epochs=max((tally.planned_epochs for tally in begun), default=settings.epochs),
        pace=begun[0].pace if begun else settings.pace,
        last_command=last_command,
    )


class _Fold:
    """A fold over the records about one variant, in two logs."""

    def __init__(self, variant: Variant) -> None:
        self.tally = Tally(variant.name, variant.settings)
        self._worker = 0
        self._added_at: Point | None = None
        self._rewind: Rewind | None = None
        """The last rewind, unless a restart followed."""
        self._heeded = 0
        """The last command that a worker has taken in, or that was lost with its worker."""

    def add(self, record: AnyRecord) -> None:
        """Take in the next record."""
        self.tally.add(record)
        self._worker = max(self._worker, _worker_of(record))
        match record:
            case VariantAdded():
                self._added_at = record.origin
            case CommandSent(command=Rewind() | Restart() as command):
                self._rewind = command if isinstance(command, Rewind) else None
            case Started() | Refused() | WorkerReplaced():
                self._heeded = max(self._heeded, record.command)
            case _:
                pass

    def past(self, threads: Mapping[str, int]) -> PastVariant:
        """The variant as its logs leave it. `threads`: those of all variants."""
        tally, settings, rewind = self.tally, self.tally.settings, self._rewind
        origin = None if tally.generation else self._added_at
        like = origin.variant if origin else tally.name
        is_rewound = rewind is not None and rewind.id > self._heeded
        if is_rewound and rewind is not None:
            origin = Point(generation=rewind.generation, batches=rewind.batches)
            settings = rewind.settings
        return PastVariant(
            variant=Variant(name=tally.name, settings=settings),
            worker=self._worker,
            threads=threads.get(like, 0),
            origin=origin,
            is_removed=tally.is_removed and not is_rewound,
        )


def _worker_of(record: AnyRecord) -> int:
    return record.worker if isinstance(record, StateChanged | WorkerDied) else 0


def _command_of(record: Record) -> int:
    if isinstance(record, CommandSent):
        return record.command.id
    ids: Iterable[int] = (getattr(record, name, 0) for name in ("command", "heard"))
    return max(ids)
