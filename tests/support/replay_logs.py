"""Logs written for a replay: two variants and a command, each record at its time."""

from pathlib import Path

import numpy as np

from engine.log.commands import Pause
from engine.log.directory import RunDirectory
from engine.log.records import Chunk, CommandSent, End, Record, Started
from engine.log.writing.writer import LogWriter
from engine.settings import RunSettings, Variant, VariantSettings

T0 = 1_700_000_000.0


class Clock:
    now = 500.0

    def __call__(self) -> float:
        return self.now


def chunk(batch: int, wall_time: float = 0.0, seconds: float = 0.0, generation: int = 1) -> Chunk:
    return Chunk(
        generation=generation, epoch=1, batch=batch, update=batch, in_update=0, samples=batch - 1,
        seconds=seconds, duration=1.0, batch_size=1, last_batch_size=1, accumulation_steps=1,
        lr=0.1, losses=np.array([0.5], "<f4").tobytes(), wall_time=wall_time,
    )  # fmt: skip


def started(wall_time: float = 0.0, generation: int = 1) -> Started:
    return Started(
        generation=generation, settings=VariantSettings(), n=100, model="m", parameters=1,
        device="cpu", threads=1, epochs=1, pace=None, wall_time=wall_time,
    )  # fmt: skip


def run_of(path: Path, logs: dict[str, list[Record]], session: list[Record]) -> RunDirectory:
    variants = tuple(Variant(name=name, settings=VariantSettings()) for name in logs)
    run = RunDirectory.create(path, RunSettings(variants=variants), "0")
    for log, records in [
        *((run.variant_log(name), each) for name, each in logs.items()),
        (run.session_log, session),
    ]:
        with LogWriter(log) as writer:
            for record in records:
                writer.append(record)
    return run


def two_variants(path: Path) -> RunDirectory:
    """A begins 2 s before B; a command in between."""
    a = [started(T0), chunk(1, T0 + 1), chunk(2, T0 + 5), End(wall_time=T0 + 9)]
    b = [started(T0 + 2), chunk(1, T0 + 3), chunk(2, T0 + 8), End(wall_time=T0 + 9)]
    sent = CommandSent(variant="B", command=Pause(id=1), wall_time=T0 + 4)
    return run_of(path, {"A": a, "B": b}, [sent, End(wall_time=T0 + 9)])
