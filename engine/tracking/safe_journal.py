"""The journal of a loop behind a guard: a fault ends the record with a warning, never the loop."""

import contextlib
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from engine.tracking.controls import LoopOrders
from engine.tracking.journal import Journal
from engine.tracking.lifetime import uncaught
from engine.tracking.record.background import OneWarning
from engine.tracking.record.remarks import OF_LR

Begin = Callable[[int, float | None, Callable[[str], object]], Journal]
"""Begins the run, from samples and lr of the first batch (0 and None if none came), and a function
that warns the user."""


class SafeJournal:
    """Everything that a loop records. No method raises, or waits except while paused."""

    def __init__(self, begin: Begin, *, is_off: bool) -> None:
        """With `is_off`, nothing is ever recorded."""
        self._begin = begin
        self.warn = OneWarning()
        self._journal: Journal | None = None
        self._has_ended = is_off
        self._path: Path | None = None
        self._early: dict[str, Any] = {}
        """Numbers that were logged before the first batch."""

    @property
    def journal(self) -> Journal | None:
        """The record; None before the first batch, and if nothing is recorded."""
        return self._journal

    @property
    def path(self) -> Path | None:
        """The directory of the run; None before the first batch, and if nothing is recorded."""
        return self._path

    @property
    def epochs(self) -> int:
        """Planned epochs; 0 if nothing is recorded."""
        return 0 if self._journal is None else self._journal.epochs

    @property
    def is_end_asked(self) -> bool:
        """True once a viewer has asked the loop to end."""
        return self._journal is not None and self._journal.is_end_asked

    @property
    def begins(self) -> bool:
        """True if the next batch begins the record."""
        return self._journal is None and not self._has_ended

    def begin(self, samples: int, lr: float | None) -> None:
        """Begin the run on disk, once."""
        if self.begins:
            with self._guarded():
                self._journal = self._begin(samples, lr, self.warn)
                self._path = self._journal.session.run.path

    def plan(self, epochs: int) -> None:
        """Record that the loop trains up to this many epochs."""
        if (journal := self._journal) is not None:
            with self._guarded():
                journal.run_again()
                if journal.epochs != epochs:
                    journal.plan(epochs)

    def begin_epoch(self, epoch: int) -> None:
        """Count the next batches as those of this epoch."""
        if (journal := self._journal) is not None:
            with self._guarded():
                journal.begin_epoch(epoch)

    def add(
        self,
        loss: Any,
        samples: int,
        lr: float | None,
        *,
        ends_update: bool,
        scalars: dict[str, Any] | None = None,
        obeys: bool = True,
    ) -> None:
        """Record a batch; at the end of an update, obey what viewers have ordered."""
        if self._journal is None:
            self.begin(samples, lr)
        if (journal := self._journal) is None:
            return
        try:
            if type(lr) is not float or not lr >= 0:
                lr = self._recordable(lr)
            journal.builder.add(loss, samples or 1, lr, ends_update=ends_update)
            if scalars or self._early:
                early, self._early = self._early, {}
                self.note({**early, **(scalars or {})})
            if ends_update and obeys and journal.must_look:
                journal.obey()
        except Exception as error:
            self._give_up(error)

    def end_group(self) -> None:
        """Record that the end of an epoch has cut a group of batches short."""
        if (journal := self._journal) is not None:
            with self._guarded():
                journal.end_group()

    def take_orders(self) -> LoopOrders | None:
        """Take what viewers have ordered, for all ranks of a loop; None for nothing."""
        if (journal := self._journal) is None:
            return None
        orders = journal.session.take() if journal.session.is_due else LoopOrders()
        orders.is_end = journal.is_end_asked
        return orders

    def note(self, scalars: dict[str, Any]) -> None:
        """Record numbers of the last batch, or keep them for the first one."""
        if (journal := self._journal) is None:
            if not self._has_ended:
                self._early.update(scalars)
            return
        for name, value in scalars.items():
            try:
                journal.note(name, value)
            except (TypeError, ValueError, RuntimeError) as error:  # torch's for several numbers
                self.warn(f"{name} is not recorded: {error}. Training goes on")
            except Exception as error:
                self._give_up(error)
                return

    def _recordable(self, lr: Any) -> float:
        """The lr as the log can hold it; TypeError or ValueError if it is no number."""
        number = 0.0 if lr is None else float(lr)
        if number >= 0:
            return number
        self.remark(OF_LR)
        return 0.0

    def remark(self, text: str) -> None:
        """Record a remark on how the figures are to be read; each once."""
        journal = self._journal
        if journal is not None and text not in journal.remarks:
            with self._guarded():
                journal.remark(text)

    def finish(self) -> None:
        """Record that all planned epochs are done."""
        if (journal := self._journal) is not None:
            with self._guarded():
                journal.finish()

    def close(self) -> None:
        """Record how the script has ended, and close the run's files. Safe to repeat."""
        if (journal := self._journal) is None:
            return
        self._journal, self._has_ended = None, True
        with self._guarded():
            error = uncaught()
            lines = "".join(traceback.format_exception(error)) if error is not None else ""
            journal.end(error, lines)

    def abandon(self) -> None:
        """Let go of everything in a forked process, whose parent goes on with the run."""
        journal, self._journal = self._journal, None
        self._has_ended = True
        if journal is not None:
            journal.background.abandon()

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """Train on without a record."""
        journal, self._journal = self._journal, None
        self._has_ended = True
        self.warn(
            f"this run is not recorded any more ({type(error).__name__}: {error}). Training goes on"
        )
        if journal is not None:
            with contextlib.suppress(Exception):
                journal.background.close()
