"""Exports all batches of a run as CSV, even if its logs are damaged or end early."""

import contextlib
import csv
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.file import LogDamagedError, LogReader
from engine.log.records import AnyRecord, Chunk, Evaluation, State, StateChanged, Validated
from gdtui.export.batches import places_of
from gdtui.export.incomplete import why_incomplete
from gdtui.export.scalars import column_of, scalar_names, scalars_by_batch
from gdtui.history.chunk_losses import lrs_of

COLUMNS: Final = (
    "variant", "generation", "batch", "update", "epoch", "samples", "seconds",
    "batch_size", "accumulation_steps", "lr", "loss",
)  # fmt: skip

MEASURED: Final = (
    "variant", "generation", "epoch", "batches", "updates", "samples", "seconds",
    "full_loss", "validation_loss",
)  # fmt: skip

_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""Characters that may begin a formula, including their full-width forms."""


def open_output(run: RunDirectory, path: Path | None) -> BinaryIO:
    """Open the output for the CSV, a file or stdout.

    Raises RunDirectoryError if it cannot be written.
    """
    if path is None or str(path) == "-":
        return open(sys.stdout.fileno(), "wb", closefd=False)
    if _is_part_of(run, path):
        raise RunDirectoryError(
            f"{path} is part of the run; nothing was changed. Choose another file"
        )
    try:
        return path.open("wb")
    except OSError as error:
        raise RunDirectoryError(f"cannot write {path}: {error.strerror}") from None


def _is_part_of(run: RunDirectory, path: Path) -> bool:
    """True if the file is one of the run's files, under whatever name."""
    try:
        found = path.stat()
        return any(os.path.samestat(found, each.lstat()) for each in run.path.iterdir())
    except (OSError, ValueError):  # opening it gives a better error
        return False


def export(run: RunDirectory, output: BinaryIO, *, for_spreadsheets: bool = False) -> Iterator[str]:
    """Write all readable batches; yield a sentence about what is missing in each incomplete log.

    The rows of a log are flushed before its sentence. Nothing is written until iteration starts.
    With `for_spreadsheets`, a name that a spreadsheet would run as a formula gets an apostrophe in
    front.
    """
    quote = _guarded if for_spreadsheets else _quoted
    names = scalar_names(run)
    columns = [*COLUMNS, *(quote(column_of(name)) for name in names)]
    output.write((",".join(columns) + "\n").encode())
    yield from _write(
        run, output, quote, partial(_rows_with_scalars, names=names) if names else _rows
    )


def export_measurements(
    run: RunDirectory, output: BinaryIO, *, for_spreadsheets: bool = False
) -> Iterator[str]:
    """Write the measurements on all data, one per row; yield sentences as `export` does."""
    metrics = _metrics(run)
    quote = _guarded if for_spreadsheets else _quoted
    output.write((",".join([*MEASURED, *map(quote, metrics)]) + "\n").encode())
    yield from _write(run, output, quote, lambda name, log: _measured_rows(name, log, metrics))


QuoteName = Callable[[str], str]
"""A function from a name to a field of the file."""
RowsOf = Callable[[str, Iterable[AnyRecord]], Iterator[str]]
"""A function from a variant's name, as a field, and the records of its log to lines of the file."""


def _write(run: RunDirectory, output: BinaryIO, quote: QuoteName, rows: RowsOf) -> Iterator[str]:
    for variant in run.info.settings.variants:
        reader = LogReader(run.variant_log(variant.name))
        states: list[State] = []
        try:
            for text in rows(quote(variant.name), _noting(reader, states)):
                output.write(text.encode())
        except LogDamagedError:
            trouble = str(reader.damage)
        else:
            if not (trouble := why_incomplete(reader, states[-1] if states else None)):
                continue
            if os.path.lexists(reader.path):
                trouble += "; its rows so far are written"
        output.flush()
        yield f"{variant.name}: {trouble}"
    output.flush()


def _noting(reader: LogReader, states: list[State]) -> Iterator[AnyRecord]:
    """The records of a log; their states are added to `states`."""
    for record in reader:
        if isinstance(record, StateChanged):
            states.append(record.state)
        yield record


def _rows(quoted_name: str, log: Iterable[AnyRecord]) -> Iterator[str]:
    for record in log:
        if isinstance(record, Chunk) and record.losses:
            yield chunk_rows(quoted_name, record)


def _rows_with_scalars(
    quoted_name: str, log: Iterable[AnyRecord], names: list[str]
) -> Iterator[str]:
    """The rows of a log once it has been read whole, since numbers follow their batches."""
    records: list[AnyRecord] = []
    damage = None
    try:
        records += log
    except LogDamagedError as error:
        damage = error
    values = scalars_by_batch(records)
    for record in records:
        if isinstance(record, Chunk) and record.losses:
            rows = chunk_rows(quoted_name, record).splitlines()
            for batch, row in enumerate(rows, start=record.batch):
                found = (values.get((record.generation, batch, name)) for name in names)
                yield ",".join([row, *("" if each is None else repr(each) for each in found)])
                yield "\n"
    if damage is not None:
        raise damage


def _metrics(run: RunDirectory) -> list[str]:
    """The names of all metrics; damage is reported later, when the rows are written."""
    names: dict[str, None] = {}
    for variant in run.info.settings.variants:
        with contextlib.suppress(LogDamagedError):
            for record in LogReader(run.variant_log(variant.name)):
                if isinstance(record, Evaluation | Validated):
                    names.update(dict.fromkeys(record.metrics))
    return list(names)


def _measured_rows(quoted_name: str, log: Iterable[AnyRecord], metrics: list[str]) -> Iterator[str]:
    for record in log:
        if (losses := _losses(record)) is None:
            continue
        assert isinstance(record, Evaluation | Validated)
        done = (
            record.epoch,
            record.batches,
            record.updates,
            record.samples,
            f"{record.seconds:.9f}",
        )
        measured = [*losses, *(record.metrics.get(metric) for metric in metrics)]
        cells = [
            *map(str, (record.generation, *done)),
            *("" if m is None else repr(m) for m in measured),
        ]
        yield ",".join([quoted_name, *cells]) + "\n"


def _losses(record: AnyRecord) -> tuple[float | None, float | None] | None:
    """The losses on all training data and on the held-out data."""
    match record:
        case Evaluation():
            return record.full_loss, record.validation_loss
        case Validated():
            return None, record.loss
    return None


def chunk_rows(quoted_name: str, chunk: Chunk) -> str:
    """The lines for a chunk's batches, each with a line end."""
    # A float32 becomes the shortest text that reads back as the same float32.
    losses = list(map(str, np.frombuffer(chunk.losses, "<f4")))
    for place in chunk.weightless:
        losses[place] = ""
    places = places_of(chunk, np.arange(len(losses)))
    head, steps = f"{quoted_name},{chunk.generation},", chunk.accumulation_steps
    rows = zip(
        places.batch.tolist(),
        places.update.tolist(),
        places.epoch.tolist(),
        places.samples.tolist(),
        places.seconds.tolist(),
        places.batch_size.tolist(),
        lrs_of(chunk).tolist(),
        losses,
        strict=True,
    )
    return "".join(
        f"{head}{batch},{update},{epoch},{samples},{second:.9f},{size},{steps},{lr!r},{loss}\n"
        for batch, update, epoch, samples, second, size, lr, loss in rows
    )


def _guarded(text: str) -> str:
    """A field that no spreadsheet interprets as a formula (OWASP, "CSV Injection")."""
    return _quoted(f"'{text}" if text.lstrip().startswith(_FORMULA) else text)


def _quoted(text: str) -> str:
    """A field of a CSV file."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([text])
    return line.getvalue()
