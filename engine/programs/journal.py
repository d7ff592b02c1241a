"""Writes the readings of a program to the log of its run, as they arrive.

A reading is a batch of the log: the batches are counted, and `update` is the printed step, so that
losses printed every k steps leave gaps in the updates. The log says which figures nobody knows.
"""

import math
import struct
from collections.abc import Callable, Iterable
from typing import Final

from msgspec.structs import replace

from engine.log.directory import RunDirectory
from engine.log.records import (
    Chunk,
    End,
    Evaluation,
    Planned,
    Record,
    Scalars,
    Started,
    State,
    StateChanged,
    Validated,
)
from engine.log.records.chunk import packed
from engine.log.writing.writer import LogWriter
from engine.programs import PROGRAM
from engine.programs.readings import Event, HeldOut, Reading
from engine.settings import VariantSettings
from engine.worker.protocol import RunClock

UNKNOWN_SETTINGS: Final = VariantSettings(batch_size=1)
"""Stands for the settings of a program, which are unknown; the log says so."""
_EPOCH_STEPS: Final = 1000
"""Steps that smoothing takes as an epoch if the program tells none."""
_MOST_AT_ONCE: Final = 4096
_MOST_NAMES: Final = 500
_ALWAYS_UNKNOWN: Final = ("samples", "batch_size", "accumulation_steps")


class ProgramJournal:
    """Writer of a program's log. It never raises; what cannot be written waits in memory."""

    def __init__(
        self, run: RunDirectory, name: str, clock: RunClock, tell: Callable[[OSError], None]
    ) -> None:
        """Open the log of the variant `name`. `tell` gets the first error of each kind.

        Raises OSError and LogError.
        """
        self._log = LogWriter(run.variant_log(name))
        self._clock, self._tell = clock, tell
        self._told: int | None = None
        self._open: list[Reading] = []
        """Readings at consecutive steps, to be one record."""
        self._began: float | None = None
        """The time of the first reading of the generation, on the caller's clock."""
        self._before = 0.0
        """Seconds of training before the open readings."""
        self._generation = self._batches = self._epochs = 0
        self._epoch, self._step = 1, 0
        self._knows_epochs = False
        """True if the program prints its epochs, or counts the steps of each epoch."""
        self._lr = UNKNOWN_SETTINGS.lr
        self._early: HeldOut | None = None
        self._names: set[str] = set()
        """The names of scalars and metrics so far."""
        self._write(StateChanged(generation=0, state=State.RUNNING))

    def add(self, events: Iterable[Event], now: float) -> None:
        """Record what was read by `now`, in seconds of any clock."""
        for event in events:
            if isinstance(event, Reading):
                self._read(event, now)
            elif isinstance(event, HeldOut):
                self._evaluate(event, now)
        self._flush(now)

    def end(self, state: State, detail: str, status: int) -> None:
        """Record how the program has ended, and close the log."""
        if state is State.FINISHED and self._knows_epochs:
            self._end_epoch()
        self._write(
            StateChanged(
                generation=self._generation, state=state, detail=detail, exit_status=status
            )
        )
        self._write(End())
        try:
            self._log.close()
        except OSError as error:
            self._report(error)

    # --- Readings -------------------------------------------------------------------------------

    def _read(self, reading: Reading, now: float) -> None:
        place = reading.place
        if place.generation != self._generation:
            self._flush(now)
            self._start(reading, now)
        if self._open and not self._goes_on_with(reading):
            self._flush(now)
        if place.epochs is not None and place.epochs != self._epochs:
            self._plan(place.epochs)
        self._open.append(reading)

    def _goes_on_with(self, reading: Reading) -> bool:
        last = self._open[-1].place
        return (
            reading.place.step == last.step + 1
            and reading.place.epoch == last.epoch
            and len(self._open) < _MOST_AT_ONCE
        )

    def _start(self, reading: Reading, now: float) -> None:
        place = reading.place
        self._generation, self._began, self._before = place.generation, now, 0.0
        self._batches = self._step = 0
        self._epoch = place.epoch or 1
        self._knows_epochs = place.epoch is not None
        self._epochs = place.epochs or 1
        unknown = [*_ALWAYS_UNKNOWN]
        unknown += ["epoch"] if place.epoch is None else []
        unknown += ["lr"] if reading.lr is None else []
        unknown += [] if reading.has_step else ["update"]
        self._write(
            Started(
                generation=place.generation,
                settings=UNKNOWN_SETTINGS,
                n=max(place.epoch_steps or _EPOCH_STEPS, 2),
                model="",
                parameters=0,
                device=PROGRAM,
                threads=0,
                epochs=self._epochs,
                pace=None,
                assumed=tuple(unknown),
            )
        )
        self._write(StateChanged(generation=self._generation, state=State.RUNNING))
        if self._early is not None:
            self._validate(self._early, updates=0)
            self._early = None

    def _plan(self, epochs: int) -> None:
        self._epochs = epochs
        self._write(Planned(epochs=epochs, pace=None, command=0))

    def _flush(self, now: float) -> None:
        """Write the open readings as one record."""
        readings, self._open = self._open, []
        if not readings:
            return
        assert self._began is not None
        first = readings[0].place
        self._knows_epochs |= first.epoch is not None
        if (epoch := first.epoch or 1) > self._epoch:
            self._end_epoch()
            self._epoch = epoch
        seconds = max(now - self._began, self._before)
        self._write(
            Chunk(
                generation=self._generation,
                epoch=self._epoch,
                batch=self._batches + 1,
                update=first.step,
                in_update=0,
                samples=first.step - 1,
                seconds=self._before,
                duration=seconds - self._before,
                batch_size=1,
                last_batch_size=1,
                accumulation_steps=1,
                lr=packed([self._rate(each) for each in readings]),
                losses=struct.pack(f"<{len(readings)}f", *map(_float32, readings)),
            )
        )
        self._write_scalars(readings)
        self._batches += len(readings)
        self._before, self._step = seconds, readings[-1].place.step

    def _write_scalars(self, readings: list[Reading]) -> None:
        """Write the other numbers of the readings, those with the same names together."""
        named: dict[tuple[str, ...], list[int]] = {}
        for place, reading in enumerate(readings):
            if names := tuple(filter(self._knows, reading.scalars)):
                named.setdefault(names, []).append(place)
        for names, places in named.items():
            count = len(places)
            batches = [self._batches + 1 + place for place in places]
            values = {
                name: struct.pack(f"<{count}d", *(readings[k].scalars[name] for k in places))
                for name in names
            }
            self._write(
                Scalars(
                    generation=self._generation,
                    batches=struct.pack(f"<{count}Q", *batches),
                    values=values,
                )
            )

    def _knows(self, name: str) -> bool:
        """True for a name under which numbers are kept: the first ones, so many a log may have."""
        if len(self._names) < _MOST_NAMES:
            self._names.add(name)
        return name in self._names

    def _rate(self, reading: Reading) -> float:
        if reading.lr is not None and reading.lr >= 0:
            self._lr = reading.lr
        return self._lr

    def _end_epoch(self) -> None:
        """Record that the epoch of the last reading has ended."""
        if self._batches:
            self._write(
                Evaluation(
                    generation=self._generation,
                    epoch=self._epoch,
                    batches=self._batches,
                    updates=self._step,
                    samples=self._step,
                    seconds=self._before,
                    full_loss=None,
                )
            )

    def _evaluate(self, found: HeldOut, now: float) -> None:
        self._flush(now)
        if found.place is None:
            self._early = found
        else:
            self._validate(found, updates=found.place.step)

    def _validate(self, found: HeldOut, updates: int) -> None:
        self._write(
            Validated(
                generation=self._generation,
                epoch=self._epoch,
                batches=self._batches,
                updates=updates,
                samples=updates,
                seconds=self._before,
                loss=found.loss,
                metrics={name: found.metrics[name] for name in filter(self._knows, found.metrics)},
            )
        )

    # --- The file -------------------------------------------------------------------------------

    def _write(self, record: Record) -> None:
        try:
            self._log.append(replace(record, wall_time=self._clock.now()))
        except OSError as error:
            self._report(error)
        else:
            self._told = None

    def _report(self, error: OSError) -> None:
        if self._told != error.errno:
            self._told = error.errno
            self._tell(error)


def _float32(reading: Reading) -> float:
    """The loss as a 32-bit number can hold it."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", reading.loss))[0])
    except OverflowError:
        return math.copysign(math.inf, reading.loss)
