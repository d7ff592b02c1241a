"""Workers without a process: their commands by a script, what their logs hold at the end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from engine.log.commands import AnyCommand, Stop
from engine.log.file import LogReader
from engine.log.lineage.past import Past
from engine.log.records import AnyRecord, Chunk, Evaluation, Point, Started, StateChanged
from engine.log.writing.writer import LogWriter
from engine.settings import LrSchedule, RunSettings, Variant, VariantSettings
from engine.worker.loop import Training
from engine.worker.protocol import WorkerTask
from engine.worker.recording.recorder import Recorder

EPOCHS = 4


class ScriptedMailbox:
    """Hands out each command once so many batches are in the log; then Stop once ended."""

    def __init__(self, log: Path, commands: list[tuple[int, AnyCommand]], stop: int) -> None:
        self._reader, self._commands, self._stop = LogReader(log), commands, stop
        self._batches = 0
        self._has_ended = False

    def take(self, timeout: float | None) -> list[AnyCommand]:
        for record in self._reader:
            if isinstance(record, Started):
                self._batches = record.origin.batches if record.origin else 0
            if isinstance(record, Chunk):
                self._batches = record.batch - 1 + record.batches
            if isinstance(record, StateChanged):
                self._has_ended = record.state.is_ended
        if self._commands and self._batches >= self._commands[0][0]:
            return [self._commands.pop(0)[1]]
        if self._has_ended or self._batches >= self._stop:
            return [Stop(id=99)]
        assert timeout is not None
        return []

    def send(self, note: object) -> None:
        pass


SETTINGS = VariantSettings(
    batch_size=4, accumulation_steps=2, lr=0.01, optimizer="adamw", schedule=LrSchedule.COSINE
)


def work(
    log: Path,
    *commands: tuple[int, AnyCommand],
    epochs: int = EPOCHS,
    stop: int = 10**9,
    is_resumed: bool = False,
    number: int = 1,
    settings: VariantSettings = SETTINGS,
    origin: Point | None = None,
    others: dict[str, str] | None = None,
    make_mailbox: Callable[..., Any] = ScriptedMailbox,
    **run: Any,
) -> list[AnyRecord]:
    """A worker's life, from its start or from the end of the log, up to its end; the log.

    `make_mailbox`: takes the log, the commands and the batch to stop at. `run`: other settings.
    """
    variant = Variant(name=log.stem, settings=settings)
    task = WorkerTask(
        run=RunSettings(
            variants=(variant,), device="cpu", epochs=epochs, measuring=False, **run,
        ),
        variant=variant, device="cpu", log=str(log), output="", threads=1, epochs=epochs,
        pace=None, measuring=False, number=number, is_resumed=is_resumed,
        origin=origin, logs=others or {},
    )  # fmt: skip
    past = Past.read(log)
    with LogWriter(log) as writer:
        mailbox = make_mailbox(log, list(commands), stop)
        recorder = Recorder(writer, mailbox, worker=number)
        goes_on = past if is_resumed and past.generation else None
        Training(task, mailbox, recorder, past.generation, goes_on).run()
    return list(LogReader(log))


def losses(records: list[AnyRecord]) -> bytes:
    return b"".join(each.losses for each in records if isinstance(each, Chunk))


def rows(records: list[AnyRecord]) -> list[tuple[object, ...]]:
    """Everything that an export says of each batch, but the time."""
    found: list[tuple[object, ...]] = []
    for chunk in (part for each in records if isinstance(each, Chunk) for part in each.by_epoch()):
        for k, loss in enumerate(np.frombuffer(chunk.losses, "<u4").tolist()):
            update = chunk.update + (chunk.in_update + k) // chunk.accumulation_steps
            lr = chunk.lrs[update - chunk.update] if len(chunk.lrs) > 1 else chunk.lrs[0]
            place = chunk.generation, chunk.batch + k, update, chunk.epoch
            samples = chunk.samples + k * chunk.batch_size
            found.append((*place, samples, chunk.batch_size, lr, loss))
    return found


def evaluations(records: list[AnyRecord]) -> list[tuple[object, ...]]:
    kinds = [each for each in records if isinstance(each, Evaluation)]
    return [(each.epoch, each.batches, each.full_loss, each.validation_loss) for each in kinds]
