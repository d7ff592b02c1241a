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
    Remarked,
    Started,
    State,
    StateChanged,
    Validated,
)
from engine.log.records.chunk import packed
from engine.log.writing.writer import LogWriter
from engine.programs import ALWAYS_UNKNOWN, PROGRAM
from engine.programs.readings import (
    Answered,
    Event,
    HeldOut,
    Question,
    Reading,
    Rejoined,
    Remark,
)
from engine.programs.writing.columns import ScalarColumns
from engine.programs.writing.counters import GenerationCounters
from engine.settings import VariantSettings
from engine.worker.protocol import RunClock

UNKNOWN_SETTINGS: Final = VariantSettings(batch_size=1)
"""Stands for the settings of a program, which are unknown; the log says so."""
_EPOCH_STEPS: Final = 1000
"""Steps that smoothing takes as an epoch if the program tells none."""
_MOST_AT_ONCE: Final = 4096
_MOST_ENDS: Final = 8
"""Generations that may be gone on with; only the last ones can be asked about."""
_MOST_REMARKS: Final = 200
_NO_MORE: Final = "there were more remarks than these, which are not recorded"


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
        self._at = GenerationCounters()
        self._ends: dict[int, GenerationCounters] = {}
        """The last generations, as far as they went."""
        self._remarks = 0
        self._lr = UNKNOWN_SETTINGS.lr
        self._early: HeldOut | None = None
        self._held: Validated | None = None
        """The last evaluation on held-out data."""
        self._columns = ScalarColumns()
        self._write(StateChanged(generation=0, state=State.RUNNING))

    def add(self, events: Iterable[Event], now: float) -> None:
        """Record what was read by `now`, in seconds of any clock."""
        for event in events:
            if isinstance(event, Reading | HeldOut):
                self._take(event, now)
            elif isinstance(event, Rejoined):
                self._rejoin(event, now)
            else:
                self._remark(event)
        self._flush(now)

    def end(self, state: State, detail: str, status: int) -> None:
        """Record how the program has ended, and close the log."""
        if state is State.FINISHED and self._at.knows_epochs:
            self._end_epoch()
        self._write(
            StateChanged(
                generation=self._at.generation, state=state, detail=detail, exit_status=status
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
        if place.generation != self._at.generation:
            self._flush(now)
            self._start(reading, now)
        if self._open and not self._goes_on_with(reading):
            self._flush(now)
        if place.epochs is not None and place.epochs != self._at.epochs:
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
        unknown = [*ALWAYS_UNKNOWN]
        unknown += ["epoch"] if place.epoch is None else []
        unknown += ["lr"] if reading.lr is None else []
        unknown += [] if reading.has_step else ["update"]
        started = Started(
            generation=place.generation,
            settings=UNKNOWN_SETTINGS,
            n=max(place.epoch_steps or _EPOCH_STEPS, 2),
            model="",
            parameters=0,
            device=PROGRAM,
            threads=0,
            epochs=place.epochs or 1,
            pace=None,
            assumed=tuple(unknown),
        )
        self._enter(GenerationCounters.of(started, reading, now), started)
        if self._early is not None:
            self._validate(self._early, updates=0)
            self._early = None

    def _enter(self, counters: GenerationCounters, started: Started) -> None:
        """Begin a generation."""
        self._keep_end()
        self._at, self._held = counters, None
        self._write(started)
        self._write(StateChanged(generation=counters.generation, state=State.RUNNING))

    def _keep_end(self) -> None:
        self._ends[self._at.generation] = self._at
        self._ends.pop(self._at.generation - _MOST_ENDS, None)

    def _rejoin(self, found: Rejoined, now: float) -> None:
        """Go on with an earlier generation; the events came at even intervals, for all we know."""
        self._flush(now)
        self._keep_end()
        end = self._ends.get(found.origin.generation)
        if end is not None and end.started is not None:
            at = end.continued(found.generation)
            origin = replace(end.started, generation=found.generation, origin=end.origin)
            self._enter(at, origin)
            since = end.began + end.seconds
            for count, event in enumerate(found.events, start=1):
                self._take(event, since + (now - since) * count / len(found.events))
        else:
            for event in found.events:
                self._take(event, now)

    def _take(self, event: Reading | HeldOut, now: float) -> None:
        if isinstance(event, Reading):
            self._read(event, now)
        else:
            self._evaluate(event, now)

    def _plan(self, epochs: int) -> None:
        self._at.epochs = epochs
        self._write(Planned(epochs=epochs, pace=None, command=0))

    def _flush(self, now: float) -> None:
        """Write the open readings as one record."""
        readings, self._open = self._open, []
        if not readings:
            return
        first = readings[0].place
        self._at.knows_epochs |= first.epoch is not None
        if (epoch := first.epoch or 1) > self._at.epoch:
            self._end_epoch()
            self._at.epoch = epoch
        seconds = max(now - self._at.began, self._at.seconds)
        self._write(
            Chunk(
                generation=self._at.generation,
                epoch=self._at.epoch,
                batch=self._at.batches + 1,
                update=first.step,
                in_update=0,
                samples=first.step - 1,
                seconds=self._at.seconds,
                duration=seconds - self._at.seconds,
                batch_size=1,
                last_batch_size=1,
                accumulation_steps=1,
                lr=packed([self._rate(each) for each in readings]),
                losses=struct.pack(f"<{len(readings)}f", *map(_float32, readings)),
            )
        )
        for record in self._columns.records(readings, self._at.generation, self._at.batches):
            self._write(record)
        self._at.add(readings, seconds)

    def _rate(self, reading: Reading) -> float:
        if reading.lr is not None and reading.lr >= 0:
            self._lr = reading.lr
        return self._lr

    def _end_epoch(self) -> None:
        """Record that the epoch of the last reading has ended."""
        if self._at.batches:
            held = self._held if self._held and self._held.batches == self._at.batches else None
            self._write(
                Evaluation(
                    generation=self._at.generation,
                    epoch=self._at.epoch,
                    batches=self._at.batches,
                    updates=self._at.step,
                    samples=self._at.step,
                    seconds=self._at.seconds,
                    full_loss=None,
                    validation_loss=held.loss if held else None,
                    metrics=held.metrics if held else {},
                )
            )
        self._at.end_epoch()

    def _evaluate(self, found: HeldOut, now: float) -> None:
        self._flush(now)
        if found.place is None:
            self._early = found
        else:
            self._validate(found, updates=found.place.step)

    def _validate(self, found: HeldOut, updates: int) -> None:
        self._held = Validated(
            generation=self._at.generation,
            epoch=self._at.epoch,
            batches=self._at.batches,
            updates=updates,
            samples=updates,
            seconds=self._at.seconds,
            loss=found.loss,
            metrics=self._columns.known(found.metrics),
        )
        self._write(self._held)

    def _remark(self, event: Remark | Question | Answered) -> None:
        """Record a remark, a question or an answer, if there are not too many already."""
        self._remarks += 1
        if self._remarks > _MOST_REMARKS:
            return
        text = event.text if self._remarks < _MOST_REMARKS else _NO_MORE
        match event:
            case Question():
                self._write(Remarked(text=text, question=event.number, choices=event.choices))
            case Answered():
                self._write(Remarked(text=text, question=event.number, answer=event.choice))
            case _:
                self._write(Remarked(text=text))

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
