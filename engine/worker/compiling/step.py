"""A worker's compiled step: asked for, loaded and put to use between two groups of batches.

Compiling is up to the session, in a process of its own. This module loads torch's part only once a
compiled step is wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from engine.log.records import Chunk, Execution, Record
from engine.settings import Compilation, VariantSettings
from engine.worker.compiling.builds import Builds
from engine.worker.compiling.demand import (
    EagerSpeed,
    has_begun,
    is_worth_a_build,
    least_operations,
    most_updates,
)
from engine.worker.compiling.end_step import EndStep
from engine.worker.compiling.loading import Loading
from engine.worker.protocol import BuildAnswer, WorkerTask

if TYPE_CHECKING:
    from engine.training.trainer import Trainer

_OTHER_SETTINGS: Final = "other settings need a compiled step of their own"
_NO_MEMORY: Final = "memory ran out in a call of the compiled step"


class CompiledStep:
    """The compiled step of a variant; `look` does what is to be done between two groups."""

    def __init__(self, task: WorkerTask, builds: Builds, write: Callable[[Record], None]) -> None:
        self._mode = task.run.compile
        self._threads = task.threads
        self._builds = builds
        self._write = write
        self._trainer: Trainer | None = None
        self._in_force: tuple[VariantSettings, int] | None = None
        self._begin_settings()
        self._used: bytes | None = None
        """The spec of the compiled step in use; None if the eager step trains."""

    def _begin_settings(self) -> None:
        """Begin with other settings, of which nothing is known."""
        self._speed = EagerSpeed()
        self._spec: bytes | None = None
        self._is_settled = False
        """True if nothing is to be done until the settings change."""
        self._loading: Loading | None = None
        self._end = EndStep(self._builds)

    def count(self, chunk: Chunk, processor: float) -> None:
        """Count the batches of a slice, which took its thread so many processor seconds."""
        if self._mode is not Compilation.OFF:
            self._speed.add(chunk, processor)

    def look(self, trainer: Trainer, updates_left: float, pace: float | None) -> None:
        """Ask for a compiled step, or put one to use; between two groups of batches."""
        if self._mode is Compilation.OFF or trainer.in_group:
            return
        if trainer.block is not None and trainer is self._trainer:
            self._in_force = trainer.settings, trainer.resolved.batch_size
            if self._used is not None and self._is_wanted(updates_left, pace):
                self._end.look(trainer, self._used)
            return
        in_force = trainer.settings, trainer.resolved.batch_size  # which may grow in a warm-up
        if trainer is not self._trainer or in_force != self._in_force:
            self._note_change(trainer)
        elif self._used is not None:
            self._builds.give_up(self._used, _NO_MEMORY)
            self._used = None
        if self._is_settled or trainer.updates == 0:
            return
        if self._spec is None and self._is_due(updates_left, pace):
            self._specify(trainer)
        if self._spec is not None:
            self._proceed(trainer, self._spec, pace)

    def _note_change(self, trainer: Trainer) -> None:
        if self._used is not None and trainer is self._trainer:
            self._record(trainer, reason=_OTHER_SETTINGS)
        self._used = None
        self._trainer = trainer
        self._in_force = trainer.settings, trainer.resolved.batch_size
        self._begin_settings()

    def _is_due(self, updates_left: float, pace: float | None) -> bool:
        if self._mode is Compilation.ON or self._builds.has_any:
            return has_begun(self._speed)
        return self._is_wanted(updates_left, pace)

    def _is_wanted(self, updates_left: float, pace: float | None) -> bool:
        is_on = self._mode is Compilation.ON
        return is_on or is_worth_a_build(self._speed, updates_left, pace)

    def _specify(self, trainer: Trainer) -> None:
        spec, reason = self._builds.library.specify(trainer, most_updates(self._speed))
        if spec:
            self._spec = spec
            self._speed = self._builds.speeds.setdefault(spec, self._speed)
        else:
            self._settle(trainer, reason)

    def _proceed(self, trainer: Trainer, spec: bytes, pace: float | None) -> None:
        """Go on with a build: ask for it, load it, put it to use.

        One that is there at once waits for the speed of the eager step, to be compared with.
        """
        least = 0 if self._mode is Compilation.ON else least_operations(self._speed)
        answer = self._builds.get(spec, least)
        if answer is None:
            return
        if not answer.key:
            self._settle(trainer, answer.reason)
        elif self._loading is None:
            load = partial(self._builds.library.load, answer, trainer)
            self._loading = Loading(load, has_file=bool(answer.path))
        elif self._loading.has_ended and (self._speed.is_known or pace is not None):
            self._put_to_use(trainer, answer, self._loading)

    def _put_to_use(self, trainer: Trainer, answer: BuildAnswer, loading: Loading) -> None:
        block = loading.block
        if block is None:
            self._settle(trainer, f"the compiled step could not be loaded ({loading.failure})")
        elif block.is_ready:
            trainer.use(block)
            self._used = answer.spec
            self._record(trainer, compiled=block.updates, build=answer.key)

    def _settle(self, trainer: Trainer, reason: str) -> None:
        """Stay with the eager step for these settings, for a reason, if one is worth a line."""
        self._is_settled = True
        if reason:
            self._record(trainer, reason=reason)

    def _record(
        self, trainer: Trainer, *, compiled: int = 0, build: str = "", reason: str = ""
    ) -> None:
        speed = self._speed.per_second if compiled and self._speed.is_known else 0.0
        self._write(
            Execution(
                generation=trainer.generation,
                batch=trainer.batches + 1,
                update=trainer.updates + 1,
                seconds=trainer.seconds,
                compiled=compiled,
                build=build,
                threads=self._threads,
                eager_speed=speed,
                reason=reason,
            )
        )
