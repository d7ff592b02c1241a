"""Takes the checkpoints of a training: when they are due, within 1% of the time and a disk limit.

Training waits only while the tensors are copied off the device; a thread writes the file.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.log.commands import Keep, Share
from engine.log.filesystem.disk_errors import cannot_write
from engine.worker.evaluation import Budget
from engine.worker.protocol import NoCheckpoint, Note, WorkerTask

if TYPE_CHECKING:
    from engine.checkpoint.checkpoint import Checkpoint
    from engine.checkpoint.store import CheckpointStore
    from engine.training.trainer import Trainer

SHARE: Final = 0.01
"""Share of the time that checkpoints may take."""
_AT_ONCE: Final = 0.2
"""Seconds that they may take at the start."""
_LEAST_SECONDS: Final = 0.5
"""Least time between two checkpoints that only the end of an epoch asks for."""
_END_SECONDS: Final = 6.0
"""Seconds that the loop may take until it takes the last checkpoint."""


class Keeper:
    """The checkpoints of a variant while it trains."""

    def __init__(
        self,
        task: WorkerTask,
        send: Callable[[Note], None],
        check_place: Callable[[], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`send` takes the reason why none can be kept; it may be called from another thread.

        `check_place` raises OSError if the run is no longer where it was.
        """
        self._log = Path(task.log)
        self._every = task.run.checkpoint_every
        """Seconds between two checkpoints; 0 keeps none."""
        self._disk = task.run.checkpoint_disk
        self._limit = self._disk // len(task.run.variants)
        """Bytes that they may take; the newest is kept even if it is larger."""
        self._send = send
        self._check_place = check_place
        self._clock = clock
        self._store: CheckpointStore | None = None
        self.budget = Budget(_AT_ONCE, SHARE, clock)
        self._copying = self._processing = 0.0
        self.cost = 0.0
        """Seconds that the last checkpoint took: to copy its tensors, and of a core to write it."""
        self._kept: tuple[int, int] = (0, -1)
        """Generation and batches of the last checkpoint."""
        self._kept_at = clock()
        self._told = ""
        self._is_asked = False
        self._writing: threading.Thread | None = None
        self.ending = threading.Lock()
        """Held by the loop while it ends the training and takes the last checkpoint."""

    def obey(self, command: Keep | Share) -> None:
        """Take a checkpoint soon, or keep to another share of the space from the next one on."""
        if isinstance(command, Share):
            self._limit = self._disk // command.variants
        else:
            self.ask()

    def ask(self) -> None:
        """Take a checkpoint at the next group boundary, whatever it costs."""
        self._is_asked = True

    def is_due(self, trainer: Trainer) -> bool:
        """True if a checkpoint should be taken at the next group boundary, and can be paid for."""
        if self._is_asked:
            return True
        if not self._every or self._is_kept(trainer) or self._is_busy:
            return False
        passed = self._clock() - self._kept_at
        is_time = passed >= (_LEAST_SECONDS if trainer.at_epoch_end else self._every)
        return is_time and self.budget.affords(self.cost)

    def look(self, trainer: Trainer) -> None:
        """Take a checkpoint if one is due and no group is open."""
        if not trainer.in_group and self.is_due(trainer):
            self.keep(trainer)
            self._is_asked = False

    def keep(self, trainer: Trainer | None) -> None:
        """Take a checkpoint now, unless a group is open or there is one of these weights.

        Waits for the one that is being written.
        """
        if trainer is None or not self._every or trainer.in_group or self._is_kept(trainer):
            return
        if not trainer.last_loss_is_finite:
            return
        from engine.checkpoint.checkpoint import capture
        from engine.checkpoint.values import UnkeptError

        self.wait()
        start = self._clock()
        self._kept, self._kept_at = (trainer.generation, trainer.batches), start
        try:
            checkpoint = capture(trainer, wall_time=time.time())
        except UnkeptError as error:
            self._report(f"no checkpoint can be kept: {error}, which is not plain data")
            return
        self._copying = self._clock() - start
        self._writing = threading.Thread(
            target=self._write, args=(checkpoint,), name="checkpoint", daemon=True
        )
        self._writing.start()

    def wait(self) -> None:
        """Wait until the last checkpoint is on the disk, or has failed."""
        if self._writing is not None:
            self._writing.join()
            self._writing = None
            self.cost = self._copying + self._processing
            self.budget.charge(self.cost)

    def finish(self) -> None:
        """Wait for the last checkpoint, in the thread that ends the process."""
        self.ending.acquire(timeout=_END_SECONDS)
        if (writing := self._writing) is not None:
            writing.join()

    @property
    def _is_busy(self) -> bool:
        if self._writing is not None and not self._writing.is_alive():
            self.wait()
        return self._writing is not None

    def _is_kept(self, trainer: Trainer) -> bool:
        return self._kept == (trainer.generation, trainer.batches)

    def _write(self, checkpoint: Checkpoint) -> None:
        start = time.thread_time()
        try:
            self._check_place()
            stored = self._open().write(checkpoint, self._limit)
            self._open().thin(self._limit)
        except OSError as error:
            self._report(f"no checkpoint: {cannot_write(error, self._log)}")
        else:
            if 2 * stored.bytes > self._limit:
                share = "more than" if stored.bytes > self._limit else "more than half of"
                self._report(
                    f"a checkpoint takes {stored.bytes / 1e6:,.1f} MB, {share} its share of "
                    "--checkpoint-disk: the newest alone is kept, beside it the next while it is "
                    "written"
                )
            else:
                self._told = ""
        self._processing = time.thread_time() - start

    def _open(self) -> CheckpointStore:
        from engine.checkpoint.store import CheckpointStore

        self._store = self._store or CheckpointStore(self._log)
        return self._store

    def _report(self, trouble: str) -> None:
        if trouble != self._told:
            self._told = trouble
            self._send(NoCheckpoint(detail=trouble))
