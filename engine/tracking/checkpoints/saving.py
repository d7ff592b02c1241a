"""Takes the checkpoints that a script asks for, and writes them beside its training.

The loop waits only while tensors are copied off the device. Nothing in here raises: what goes wrong
is said once on stderr, and training goes on.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from engine.log.filesystem.disk_errors import cannot_write
from engine.tracking.record.background import OneWarning

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from engine.checkpoint.checkpoint import Checkpoint  # imports torch
    from engine.checkpoint.store import CheckpointStore
    from engine.tracking.checkpoints.place import LoopPlace
    from engine.tracking.journal import Journal

_LOOK_SECONDS: Final = 0.2
_NO_TORCH: Final = "it needs torch, which this script has not imported"


@dataclass(frozen=True, slots=True)
class Content:
    """The objects whose state a checkpoint holds, beside the loop's optimiser."""

    model: Any
    others: Mapping[str, Any]


class CheckpointSaver:
    """The checkpoints of one loop."""

    def __init__(self, optimizer: "Optimizer | None", warn: Callable[[str], object]) -> None:
        """`warn` reports that the disk fails; the log uses the same."""
        self._optimizer = optimizer
        self._warn_of_disk = warn
        self._warn = OneWarning()
        self._asked: Content | None = None
        self._asked_at = time.monotonic()
        self._written = threading.Event()
        """Set unless a checkpoint is being written."""
        self._written.set()
        self._store: CheckpointStore | None = None

    @property
    def is_asked(self) -> bool:
        """True once the script has asked for a checkpoint that was not taken yet."""
        return self._asked is not None

    def ask(self, model: Any, others: Mapping[str, Any], every: float) -> None:
        """Take a checkpoint between two updates, unless the last was asked for too recently."""
        now = time.monotonic()
        if every and (now - self._asked_at < every or not self._written.is_set()):
            return
        self._asked, self._asked_at = Content(model, others), now

    def take(self, journal: "Journal | None", place: "Callable[[], LoopPlace]") -> None:
        """Copy the state of the loop, which is between two updates, and have it written.

        Waits for the checkpoint before. `journal`: None if nothing is recorded any more.
        """
        content, self._asked = self._asked, None
        if content is None or journal is None:
            return
        try:
            if "torch" not in sys.modules:
                self._fail(_NO_TORCH)
                return
            journal.cut()
            checkpoint = self._captured(content, journal, place())
            self.wait(journal)
            self._written.clear()
            journal.background.put(partial(self._begin, checkpoint, journal))
        except Exception as error:
            self._fail(_reason(error))

    def _captured(self, content: Content, journal: "Journal", place: "LoopPlace") -> "Checkpoint":
        from engine.tracking.checkpoints.capture import captured
        from engine.tracking.checkpoints.state import loop_state

        state = loop_state(content.model, self._optimizer, content.others)
        return captured(journal, state, place)

    def _fail(self, reason: str) -> None:
        self._warn(f"no checkpoint: {reason}. Training goes on")

    def wait(self, journal: "Journal | None") -> None:
        """Wait until the last checkpoint is on the disk, or has failed."""
        while not self._written.wait(_LOOK_SECONDS):
            if journal is None or journal.is_broken:
                return

    # --- In other threads -----------------------------------------------------------------------

    def _begin(self, checkpoint: "Checkpoint", journal: "Journal") -> None:
        """Start writing, now that the log holds the batches before the checkpoint."""
        if journal.background.is_waiting:  # whose writer has warned that the disk fails
            self._written.set()
            return
        work = partial(self._write, checkpoint, journal)
        try:
            threading.Thread(target=work, name="checkpoint", daemon=True).start()
        except RuntimeError as error:  # the limit on threads is reached
            self._written.set()
            self._fail(str(error))

    def _write(self, checkpoint: "Checkpoint", journal: "Journal") -> None:
        from engine.checkpoint.store import CheckpointStore

        session = journal.session
        log = session.run.variant_log(session.name)
        settings = session.run.info.settings
        limit = settings.checkpoint_disk // len(settings.variants)
        try:
            self._store = self._store or CheckpointStore(log)
            stored = self._store.write(checkpoint, limit)
            self._store.thin(limit)
        except OSError as error:
            with contextlib.suppress(Exception):
                self._warn_of_disk(
                    f"no checkpoint: {cannot_write(error, log.parent)}. Training goes on"
                )
        except Exception as error:
            self._fail(f"{type(error).__name__}: {error}")
        else:
            if 2 * stored.bytes > limit:
                self._warn(
                    f"a checkpoint takes {stored.bytes / 1e6:,.1f} MB, more than half of the "
                    f"{limit / 1e6:,.0f} MB for checkpoints: the newest alone is kept"
                )
        finally:
            self._written.set()


def _reason(error: Exception) -> str:
    """The reason for the user; without the class of an error whose message is a whole sentence."""
    from engine.checkpoint.values import UnkeptError
    from engine.tracking.checkpoints.state import UnsupportedError

    if isinstance(error, UnkeptError):
        return f"{error}, which is not plain data"
    return str(error) if isinstance(error, UnsupportedError) else f"{type(error).__name__}: {error}"
