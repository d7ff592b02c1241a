"""Losses of three variants as if they trained: as a gdtui run and as TensorBoard event files.

Writes; measures nothing.
"""

import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from engine.log.directory import RunDirectory
from engine.log.records import Chunk, Evaluation, Started, State, StateChanged
from engine.log.writing.writer import LogWriter
from engine.settings import RunSettings, Variant, VariantSettings

VARIANTS: Final = ("one", "two", "three")
RATE: Final = 1_000
"""Batches a second of each."""
N: Final = 2_000
_STEP_SECONDS: Final = 0.03


class Feed(Protocol):
    """A sink for the losses."""

    batches: int
    """Written so far, of each variant."""

    def write(self, batches: int) -> None:
        """Append the next so many of each."""


class RunFeed:
    """A gdtui run at batch size 1, that seems to train in this process."""

    def __init__(self, path: Path, epochs: int) -> None:
        """`epochs`: as planned; charts show that length from the start."""
        settings = VariantSettings(batch_size=1)
        self.epochs = epochs
        variants = tuple(Variant(name=name, settings=settings) for name in VARIANTS)
        run = RunDirectory.create(
            path, RunSettings(variants=variants, epochs=self.epochs, pace=None), "0"
        )
        self.batches = 0
        self._session = LogWriter(run.session_log)
        self._logs = [LogWriter(run.variant_log(name)) for name in VARIANTS]
        self._rng = np.random.default_rng(0)
        for log in self._logs:
            log.append(
                Started(
                    generation=1, settings=settings, n=N, model="Linear(10,1)", parameters=11,
                    device="cpu", threads=1, epochs=self.epochs, pace=None,
                )
            )  # fmt: skip
            log.append(self._evaluation())
            log.append(StateChanged(generation=1, state=State.RUNNING, wall_time=time.time()))

    def write(self, batches: int) -> None:
        end = self.batches + batches
        while self.batches < end:
            count = min(N - self.batches % N, end - self.batches)
            for log in self._logs:
                log.append(self._chunk(count))
            self.batches += count
            if self.batches % N == 0:
                for log in self._logs:
                    log.append(self._evaluation())

    def _chunk(self, count: int) -> Chunk:
        return Chunk(
            generation=1, epoch=self.batches // N + 1, batch=self.batches + 1,
            update=self.batches + 1, in_update=0, samples=self.batches,
            seconds=self.batches / RATE, duration=count / RATE, batch_size=1, last_batch_size=1,
            accumulation_steps=1, lr=0.01,
            losses=self._rng.normal(0.5, 0.05, count).astype("<f4").tobytes(),
        )  # fmt: skip

    def _evaluation(self) -> Evaluation:
        return Evaluation(
            generation=1, epoch=self.batches // N, batches=self.batches, updates=self.batches,
            samples=self.batches, seconds=self.batches / RATE, full_loss=0.5,
        )  # fmt: skip


class EventFeed:
    """Three runs of one scalar, as TensorFlow writes them (TFRecord frames of Event messages).

    The checksums are 0: terminalboard's own reader does not look at them.
    """

    def __init__(self, path: Path) -> None:
        self.batches = 0
        self._rng = np.random.default_rng(0)
        self._files = []
        for name in VARIANTS:
            (path / name).mkdir(parents=True)
            self._files.append((path / name / "events.out.tfevents.1.host").open("wb", buffering=0))

    def write(self, batches: int) -> None:
        now = time.time()
        for file in self._files:
            losses = self._rng.normal(0.5, 0.05, batches).tolist()
            file.write(
                b"".join(_event(self.batches + i, loss, now) for i, loss in enumerate(losses))
            )
        self.batches += batches


def _event(step: int, loss: float, now: float) -> bytes:
    value = b"\x0a\x04loss\x15" + struct.pack("<f", loss)
    summary = b"\x0a" + bytes([len(value)]) + value
    event = b"\x09" + struct.pack("<d", now) + b"\x10" + _varint(step)
    event += b"\x2a" + bytes([len(summary)]) + summary
    return struct.pack("<QI", len(event), 0) + event + bytes(4)


def _varint(number: int) -> bytes:
    parts = []
    while number >= 0x80:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


@contextmanager
def flowing(feed: Feed, rate: int = RATE) -> Iterator[None]:
    """Meanwhile each variant trains on, `rate` batches a second."""
    over = threading.Event()
    began, before = time.monotonic(), feed.batches

    def flow() -> None:
        while not over.wait(_STEP_SECONDS):
            due = before + int((time.monotonic() - began) * rate) - feed.batches
            if due > 0:
                feed.write(due)

    thread = threading.Thread(target=flow)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
