"""The curves of long logs, from a sample of each, while the logs are being read.

Its store is only for charts: its figures are not those of the run.
"""

import contextlib
import os
import time
from collections.abc import Callable, Generator, Iterator
from typing import Final

from engine.log.commands import Extend
from engine.log.directory import RunDirectory
from engine.log.file import MAGIC, LogDamagedError, LogReader
from engine.log.filesystem.safe_open import safe_open
from engine.log.format import is_known
from engine.log.reading.decode import RecordError
from engine.log.reading.probes import LogPart, LogProbe
from engine.log.records import (
    AnyRecord,
    CommandSent,
    Planned,
    VariantRemoved,
    WorkerDied,
    WorkerReplaced,
)
from gdtui.state.curves import CurvesByGeneration
from gdtui.state.overlay.shown_runs import ShownRuns, ShownVariant
from gdtui.state.preview.log_sample import LogSample
from gdtui.state.preview.thinned_log import ThinnedLog
from gdtui.state.store import Store

_PLACES: Final = 360
"""Places read in all logs together…"""
_FEWEST, _MOST = 48, 320
"""…and in one of them."""
_AT_ONCE: Final = 64
"""Places read in one step, within a few milliseconds."""
_OLD_SECONDS: Final = 5.0
"""Age at which a growing log is sampled again, since reading it may take minutes."""
_MOST_COMMANDS: Final = 1 << 19
"""Bytes of a session's log, which is read as a whole."""


class Preview:
    """Curves of all variants, each from a sample."""

    def __init__(self, shown: ShownRuns, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` returns seconds since an arbitrary start."""
        self._shown = shown
        self._clock = clock
        self.bytes = 1
        """Bytes in the logs of all variants."""
        self.store: Store | None = None
        """The variants with their curves; None until all are there, and if they cannot be."""
        self._steps: Iterator[None] | None = self._taking()
        self._taken_at = 0.0

    def take_on(self) -> bool:
        """Go on taking a sample, for some milliseconds; False if there is nothing to do now.

        Once it is old, another one is taken of runs that are still training; if that fails, the
        curves stay.
        """
        if self._steps is None:
            if not self._is_old:
                return False
            self._steps = self._taking()
        try:
            next(self._steps)
        except StopIteration:
            self._steps, self._taken_at = None, self._clock()
        except (ValueError, LogDamagedError, OSError):  # among them RecordError
            self._steps, self._taken_at = None, self._clock()  # reading the logs says why
        return self._steps is not None

    @property
    def _is_old(self) -> bool:
        """True if there are other curves by now, or if the curves have grown for a while."""
        if self.store is None:
            return False
        is_grown = self._clock() - self._taken_at >= _OLD_SECONDS and not self.store.is_at_rest
        return is_grown or len(self._shown.variants) > len(self._variants)

    def _taking(self) -> Iterator[None]:
        self._variants = self._shown.variants
        self.bytes = max(self._shown.log_bytes, 1)
        self._logs: dict[str, ThinnedLog] = {}
        self._samples: dict[str, list[LogPart]] = {}
        self._plans: dict[str, Extend] = {}
        places = max(_FEWEST, min(_PLACES // len(self._variants), _MOST))
        for each in self._variants:
            self._samples[each.name] = yield from _sampled(each, places)
        store = Store(self._shown.settings, self._variants)
        for run in self._shown.runs:
            for name, record in self._of_session(run):
                store.add(name, record)
        for each in self._variants:
            log = self._log(each)
            store.variants[each.name].generations = CurvesByGeneration(log.thinning)
            for part in log.records:
                store.add(each.name, part)
            self._plan(store, each.name)
            yield
        store.settle()
        self.store = store

    def _log(self, variant: ShownVariant) -> ThinnedLog:
        """The thinned log of a variant, after that of the one it was forked from."""
        if variant.name not in self._logs:
            parts = self._samples.pop(variant.name, None)
            if parts is None:  # its own log is what it was asked for
                raise RecordError("variants are forks of each other")
            names = {each.own_name: each for each in self._variants if each.run is variant.run}

            def source(own_name: str) -> ThinnedLog:
                if own_name not in names:
                    raise RecordError(f"the run has no variant {own_name!r}")
                return self._log(names[own_name])

            self._logs[variant.name] = ThinnedLog(parts, source)
        return self._logs[variant.name]

    def _of_session(self, run: RunDirectory) -> Iterator[tuple[str, AnyRecord]]:
        """The records about workers in a session's log; notes the plans in it."""
        names = {each.own_name: each.name for each in self._variants if each.run is run}
        with contextlib.suppress(OSError):
            if run.session_log.stat().st_size > _MOST_COMMANDS:
                raise RecordError("the session's log is too long")
        for record in LogReader(run.session_log):
            match record:
                case CommandSent(command=Extend() as plan) if record.variant in names:
                    self._plans[names[record.variant]] = plan
                case VariantRemoved() | WorkerDied() | WorkerReplaced() if record.variant in names:
                    yield names[record.variant], record
                case _:
                    pass

    def _plan(self, store: Store, name: str) -> None:
        """Extend a training as last commanded: its confirmation is hardly in a sample."""
        tally, plan = store.variants[name].tally, self._plans.get(name)
        if plan is not None:
            epochs = max(tally.planned_epochs, plan.epochs)
            store.add(name, Planned(epochs=epochs, pace=tally.pace, command=0))


def _sampled(variant: ShownVariant, places: int) -> Generator[None, None, list[LogPart]]:
    """Parts of a variant's log; none if it has not begun. Raises RecordError, OSError."""
    try:
        file = safe_open(variant.run.variant_log(variant.own_name))
    except FileNotFoundError:
        return []
    try:
        magic = os.pread(file, len(MAGIC), 0)
        if len(magic) < len(MAGIC):
            return []
        if magic[:-1] != MAGIC[:-1] or not is_known(magic[-1]):
            raise RecordError("it is not a log that can be read")
        sample = LogSample(LogProbe(file, len(MAGIC)))
        while places > 0 and sample.take(min(places, _AT_ONCE)):
            places -= _AT_ONCE
            yield
        return sample.parts
    finally:
        os.close(file)
