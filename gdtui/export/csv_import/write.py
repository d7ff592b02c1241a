"""`gdtui import`: makes a run directory from CSV.

The directory is written next to its final place, and moved there when it is complete.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.filesystem.safe_open import draft_name
from engine.log.filesystem.sync import sync_directory
from engine.log.records import Changed, Chunk, End, Record, Started, State, StateChanged
from engine.log.writing.writer import LogWriter
from engine.settings import RunSettings, Variant, VariantSettings
from gdtui.export.csv_import.conventions import in_our_conventions
from gdtui.export.csv_import.cut import MOST_CHUNKS, cut_into_chunks
from gdtui.export.csv_import.fill import LR, VariantRows, complete_rows, made_up
from gdtui.export.csv_import.rows import ImportFormatError, ParsedRows, read_rows
from gdtui.export.csv_import.text import opened_text, separator_of
from gdtui.view.text.caveats.imported import IMPORTED

_MOST_NAMED: Final = 8
_MOST_CHANGES: Final = 100
"""Most changes of settings in a generation; more are a schedule, which the chart does not mark."""


def import_csv(
    file: str,
    run_dir: Path,
    version: str,
    *,
    columns: Mapping[str, str] = MappingProxyType({}),
    most_chunks: int = MOST_CHUNKS,
) -> list[str]:
    """Make a run from the CSV in `file` ("-" means stdin); return notes for the user.

    `columns` has the file's names of columns by ours. `most_chunks` limits the chunks of a variant;
    if uneven seconds need more, they are made even.
    Raises ImportFormatError and RunDirectoryError; then nothing is left behind.
    """
    _check_place(run_dir)
    rows = _read(file, columns)
    rows, changed = in_our_conventions(rows, is_own=rows.named.is_own)
    variants, n = complete_rows(rows)
    settings = _run_settings(variants, "stdin" if file == "-" else Path(file).name)
    notes = [*rows.named.notes, *changed, *_ignored(rows.named.ignored)]
    place = run_dir.absolute()
    beside = place.with_name(draft_name(f"{place.name}.import"))
    try:
        run = RunDirectory.create(beside, settings, version)
        for each in variants:
            notes += _write(run, each, n, made_up(rows.columns), most_chunks)
        with LogWriter(run.session_log) as log:
            log.append(End())
        run.custody.release()
        beside.rename(place)
        sync_directory(place.parent)
    except OSError as error:
        raise RunDirectoryError(f"cannot write {run_dir}: {error.strerror}") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return notes


def _check_place(run_dir: Path) -> None:
    try:
        is_taken = run_dir.exists() and (not run_dir.is_dir() or any(run_dir.iterdir()))
    except OSError as error:
        raise RunDirectoryError(f"cannot write {run_dir}: {error.strerror}") from None
    if is_taken:
        what = (
            "already holds a run"
            if (run_dir / "run.json").exists()
            else "is not an empty directory"
        )
        raise RunDirectoryError(f"{run_dir} {what}; nothing was changed. Choose another")


def _run_settings(variants: Sequence[VariantRows], problem: str) -> RunSettings:
    return RunSettings(
        variants=tuple(Variant(name=each.name, settings=_settings(each, 0)) for each in variants),
        problem=problem,
        epochs=max(int(each.epoch.max()) for each in variants),
        device=IMPORTED,
    )


def _ignored(names: tuple[str, ...]) -> Iterator[str]:
    """A note on the columns that mean nothing here."""
    if len(names) == 1:
        yield f"column {names[0]!r} is unknown and ignored"
    elif names:
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        yield f"columns {', '.join(map(repr, names[:_MOST_NAMED]))}{more} are unknown and ignored"


def _read(file: str, columns: Mapping[str, str]) -> ParsedRows:
    source = "stdin" if file == "-" else file
    only = "run" if file == "-" else Path(file).stem
    try:
        with opened_text(file) as lines:
            separator, lines_again = separator_of(lines)
            return read_rows(lines_again, source, columns, separator, only)
    except UnicodeError as error:
        raise ImportFormatError(f"{source}: {error}") from None
    except OSError as error:
        raise ImportFormatError(f"cannot read {source}: {error.strerror}") from None


def _write(
    run: RunDirectory, rows: VariantRows, n: int, assumed: tuple[str, ...], most_chunks: int
) -> list[str]:
    """Write the log of a variant; return notes for the user."""
    found = cut_into_chunks(rows, most_chunks)
    with LogWriter(run.variant_log(rows.name)) as log:
        for record in _records(run, rows, found.chunks, n, assumed):
            log.append(record)
    if not found.is_even:
        return []
    return [f"{rows.name}: its seconds are uneven; over a few batches they were made even"]


def _records(
    run: RunDirectory, rows: VariantRows, chunks: list[Chunk], n: int, assumed: tuple[str, ...]
) -> Iterator[Record]:
    generation = 0
    for spot in rows.generations():
        generation = int(rows.generation[spot.start])
        mine = [chunk for chunk in chunks if chunk.generation == generation]
        started = _started(run, _settings(rows, spot.start), generation, n)
        yield replace(started, assumed=assumed)
        yield StateChanged(generation=generation, state=State.RUNNING)
        yield from _with_changes(mine, _settings(rows, spot.start))
    yield StateChanged(generation=generation, state=State.FINISHED)
    yield End()


def _started(run: RunDirectory, settings: VariantSettings, generation: int, n: int) -> Started:
    return Started(
        generation=generation,
        settings=settings,
        n=n,
        model="",
        parameters=0,
        device=IMPORTED,
        threads=1,
        epochs=run.info.settings.epochs,
        pace=None,
    )


def _settings(rows: VariantRows, row: int) -> VariantSettings:
    """The settings of a generation that begins at this row."""
    return _of(int(rows.batch_size[row]), int(rows.accumulation_steps[row]), float(rows.lr[row]))


def _of(batch_size: int, steps: int, lr: float) -> VariantSettings:
    # A warm-up begins at an lr of 0, which settings cannot have; the batches keep it nevertheless.
    return VariantSettings(batch_size=batch_size, accumulation_steps=steps, lr=lr or LR)


def _with_changes(chunks: list[Chunk], settings: VariantSettings) -> Iterator[Record]:
    """The chunks of a generation, with a record for each change of settings."""
    in_force = [_of(chunk.batch_size, chunk.accumulation_steps, chunk.lrs[0]) for chunk in chunks]
    before = [settings, *in_force]
    changes = sum(old != new for old, new in zip(before, in_force, strict=False))
    for old, new, chunk in zip(before, in_force, chunks, strict=False):
        if old != new and changes <= _MOST_CHANGES:
            yield Changed(
                generation=chunk.generation,
                settings=new,
                epoch=chunk.epoch,
                batch=chunk.batch,
                update=chunk.update,
                samples=chunk.samples,
                seconds=chunk.seconds,
            )
        yield chunk
