"""Finds the run, the variant and the checkpoint with which a script goes on."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.checkpoint.checkpoint import Checkpoint
from engine.checkpoint.store import checkpoints_of
from engine.checkpoint.values import unpack
from engine.log.directory import RUN_FILE, RunDirectory, RunDirectoryError
from engine.log.file import LogError
from engine.log.filesystem.holding import is_locked
from engine.log.filesystem.safe_open import is_present
from engine.log.lineage.past import Past
from engine.log.lineage.points import PointError, Stretch, find_point, logs_of, route_to
from engine.log.reading.decode import decode_packed
from engine.log.records import Origin, Resumed
from engine.session.past import PastVariant, read_past
from engine.settings.text import clean
from engine.tracking.checkpoints.continuation import Continuation, KeptPoint, ResumeError
from engine.tracking.checkpoints.place import LoopPlace

_END_SECONDS: Final = 2.0
"""Seconds that the processes of a script may take to end after it was killed."""

_NO_CHECKPOINT: Final = (ValueError, TypeError, KeyError, PointError, RecursionError)
"""Errors of a checkpoint that is whole, but cannot be one of this loop."""

State = Mapping[str, Any]


def find_continuation(path: Path, name: str) -> tuple[Continuation, State] | None:
    """The variant of this name in the run at `path`, and the state at its last checkpoint.

    The state is empty if there is no checkpoint; the result is None if there is no such variant.
    Raises ResumeError if the run cannot be continued.
    """
    if not is_present(path / RUN_FILE):
        return None
    try:
        run = RunDirectory.open(path)
        if not run.info.settings.is_script:
            raise ResumeError(
                f"{clean(str(path))} holds a run of gdtui train, which gdtui resume goes on with"
            )
        if name not in {each.name for each in run.info.settings.variants}:
            return None
        _wait_for_end(run, name)
        past = read_past(run)
    except RunDirectoryError as error:
        raise ResumeError(str(error)) from None
    (mine,) = (each for each in past.variants if each.variant.name == name)
    return _Search(run, mine, past.last_command).result()


def _wait_for_end(run: RunDirectory, name: str) -> None:
    deadline = time.monotonic() + _END_SECONDS
    while is_locked(run.variant_log(name)):
        if time.monotonic() > deadline:
            raise ResumeError(
                f"{clean(name)} in {clean(str(run.path))} is still training; give each script "
                "that uses the run a name of its own"
            )
        time.sleep(_END_SECONDS / 100)


class _Search:
    """The search for the last usable checkpoint of a variant."""

    def __init__(self, run: RunDirectory, mine: PastVariant, last_command: int) -> None:
        self._run, self._mine, self._last_command = run, mine, last_command
        self._name = mine.variant.name
        self._logs = logs_of(run)
        self._refused: list[str] = []

    def result(self) -> tuple[Continuation, State]:
        try:
            last = Past.read(self._logs[self._name])
            route = route_to(self._logs, self._name, last.generation) if last.generation else []
        except (LogError, PointError) as error:
            raise ResumeError(f"{error}; a run can only go on from sound logs") from None
        for stretch in reversed(route):
            if (found := self._in_stretch(stretch, last)) is not None:
                return self._continuation(last, found[0]), found[1]
        return self._continuation(last, None), {}

    @property
    def refused(self) -> tuple[str, ...]:
        return tuple(self._refused)

    def _continuation(self, last: Past, point: KeptPoint | None) -> Continuation:
        return Continuation(
            run=RunDirectory(self._run.path, self._run.info, is_ours=True),
            name=self._name,
            generation=last.generation + 1,
            worker=self._mine.worker + 1,
            last_command=self._last_command,
            point=point,
            refused=self.refused,
        )

    def _in_stretch(self, stretch: Stretch, last: Past) -> tuple[KeptPoint, State] | None:
        """The last usable checkpoint of a stretch of the training."""
        for checkpoint in checkpoints_of(stretch, self._refused):
            try:
                return self._point(checkpoint, stretch, last)
            except _NO_CHECKPOINT as error:
                at = f"the checkpoint at batch {checkpoint.batches:,}"
                self._refused.append(clean(f"{at} cannot be right: {error}"))
        return None

    def _point(
        self, checkpoint: Checkpoint, stretch: Stretch, last: Past
    ) -> tuple[KeptPoint, State]:
        header, started = checkpoint.header, stretch.past.started
        state = unpack(header.state, checkpoint.tensors)
        if not isinstance(state, dict) or not isinstance(state["modules"], dict):
            raise ValueError("it holds no state")
        if started is None or header.n != started.n:
            raise ValueError(f"it is of a training on {header.n:,} samples")
        header.settings.resolve(header.n)
        loop = LoopPlace.of_bytes(state["loop"])
        for _, settings in loop.waiting:
            settings.resolve(header.n)
        resumed = Resumed(
            generation=last.generation + 1,
            batches=checkpoint.batches,
            checkpoint=checkpoint.batches,
            refused=self.refused,
        )
        point = KeptPoint(
            origin=self._origin(checkpoint, ended=loop.has_epoch_ended),
            resumed=resumed,
            settings=header.settings,
            n=header.n,
            epochs=header.epochs,
            assumed=started.assumed,
            loop=loop,
        )
        return point, state

    def _origin(self, checkpoint: Checkpoint, *, ended: bool) -> Origin:
        """The point of the checkpoint in the log; ValueError if it cannot be one."""
        header, place = checkpoint.header, checkpoint.header.place
        found = find_point(self._logs, self._name, header.generation, place.batches).origin
        is_there = (
            found is not None
            and (found.batches, found.epoch) == (place.batches, place.epoch)
            and not ended
        )
        origin = Origin(
            generation=header.generation,
            batches=place.batches,
            epoch=place.epoch,
            updates=place.updates,
            samples=place.samples,
            seconds=place.seconds,
            epoch_batches=found.epoch_batches if found is not None and is_there else 0,
            epoch_loss=found.epoch_loss if found is not None and is_there else 0.0,
            loss_at_start=None if found is None else found.loss_at_start,
        )
        return decode_packed(msgspec.msgpack.encode(origin), Origin)  # in range, or refused
