"""The start of a tracked loop's run: its settings, directory, files and thread."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from msgspec.structs import replace

from engine.log.directory import RunDirectory
from engine.log.records import Started
from engine.log.records.worker import SCRIPT
from engine.settings import LrSchedule, RunSettings, Variant, VariantSettings
from engine.settings.text import clean
from engine.tracking.checkpoints.continuation import Continuation
from engine.tracking.controls import Abilities, Levers, LoopSession
from engine.tracking.journal import Journal
from engine.tracking.opening import open_run, place, variant_name
from engine.tracking.record import remarks
from engine.tracking.record.background import Background
from engine.tracking.record.chunking import ChunkBuilder, Counters
from engine.tracking.record.loop_log import LoopLog
from engine.tracking.record.numbers import HostBuffer, NumberBuffer
from engine.tracking.record.scalars import ScalarBuffer
from engine.tracking.record.silent import SilentBackground

if TYPE_CHECKING:
    from engine.tracking.loop.updates import Updates
    from engine.tracking.ranks.team import Team

_MADE_UP_EPOCH: Final = 1_000
"""Updates that count as an epoch where a loop has none; the log says that it is made up."""


@dataclass(slots=True)
class Arguments:
    """The arguments of `track`, and what follows from them once the first batch is known."""

    accumulation: int
    name: str | None
    run_dir: str | os.PathLike[str] | None
    version: str
    batch_size: int = 0
    """Samples in a batch at first; 0 if unknown."""
    base_lr: float = 1.0
    """The loop's lr; 1 if unknown."""


class LoopShape(Protocol):
    """The batches of a loop, as far as they are known."""

    @property
    def batch_size(self) -> int:
        """Samples in a batch; 0 if unknown."""

    @property
    def epoch_samples(self) -> int:
        """Samples in an epoch; 0 if unknown."""

    @property
    def drop_last(self) -> bool:
        """True if an incomplete last batch is left out."""


@dataclass(frozen=True, slots=True)
class LoopParts:
    """The parts of a loop that a record describes or changes."""

    updates: "Updates | None"
    batches: "LoopShape | None"
    abilities: Abilities
    levers: Levers
    team: "Team | None" = None
    """The ranks that train together; None for a loop that trains alone."""
    continuation: Continuation | None = None
    """The training that the loop goes on with; None for a new one."""


def begin(
    arguments: Arguments,
    parts: LoopParts,
    *,
    epochs: int,
    samples: int,
    lr: float | None,
    warn: Callable[[str], object],
) -> Journal:
    """Begin the run on disk, and the thread that writes it.

    `epochs`: the planned ones, 0 if unknown. `samples` and `lr`: those of the first batch, if one
    came before. Raises OSError and the errors of a run directory, which end nothing but the record.
    """
    continuation = parts.continuation
    point = None if continuation is None else continuation.point
    started = _first_record(arguments, parts, epochs, samples, lr)
    session, background = _outlets(arguments, parts, started, warn)
    journal = Journal(
        started=started,
        background=background,
        session=session,
        builder=_builder(started, background, Counters() if point is None else point.counters),
        levers=parts.levers,
        scalars=ScalarBuffer(_buffer, started.generation),
        epochs=started.epochs,
        worker=1 if continuation is None else continuation.worker,
        resumed=None if point is None else point.resumed,
    )
    if continuation is not None:
        session.go_on(started.settings, started.epochs, continuation.last_command)
    if point is not None:
        journal.go_on(point.loop.waiting)
    names = () if continuation is not None else (variant_name(arguments.name), *session.wanted)
    for text in (*remarks.of_name(*names), *remarks.at_start(started)):
        journal.remark(text)
    return journal


def _builder(
    started: Started, background: Background | SilentBackground, at: Counters
) -> ChunkBuilder:
    resolved = started.settings.resolve(started.n)
    size, steps = resolved.batch_size, resolved.accumulation_steps
    return ChunkBuilder(
        _buffer(), size, steps, background.put, at=at, generation=started.generation
    )


def _first_record(
    arguments: Arguments, parts: LoopParts, epochs: int, samples: int, lr: float | None
) -> Started:
    """The record with which the training begins, or goes on after a checkpoint."""
    continuation = parts.continuation
    if continuation is not None and (point := continuation.point) is not None:
        arguments.batch_size = point.settings.resolve(point.n).batch_size
        started = _started(point.settings, point.n, epochs or point.epochs, parts, point.assumed)
        return replace(started, generation=continuation.generation, origin=point.origin)
    n, assumed = _shape(arguments, parts, samples)
    if parts.updates is None and lr is None:
        assumed.append("lr")
    if not epochs:
        assumed.append("planned_epochs")
    settings = _settings(arguments, parts, n, lr)
    started = _started(settings, n, max(epochs, 1), parts, tuple(assumed))
    generation = 1 if continuation is None else continuation.generation
    return replace(started, generation=generation)


def _outlets(
    arguments: Arguments,
    parts: LoopParts,
    started: Started,
    warn: Callable[[str], object],
) -> tuple[LoopSession, Background | SilentBackground]:
    """The session and the thread that writes; ranks beside the first one write nothing."""
    settings = _run_settings(arguments, started.settings, started.epochs)
    n = started.n
    if parts.team is not None and not parts.team.is_recorder:
        run = RunDirectory.planned(Path(), settings, arguments.version)
        name = settings.variants[0].name
        return LoopSession(run, name, n, parts.abilities, lambda _: None), SilentBackground()
    found = parts.continuation
    if found is not None and found.run is not None:
        run, name = found.run, found.name
    else:
        run, name = open_run(place(arguments.run_dir), settings, arguments.version)
    log = LoopLog(run, name, warn, is_new=found is None)
    session = LoopSession(run, name, n, parts.abilities, log.write_command)
    return session, Background(log, session, arguments.version, warn)


def _shape(arguments: Arguments, parts: LoopParts, samples: int) -> tuple[int, list[str]]:
    """The samples in an epoch, and the columns that had to be made up; sets the batch size."""
    batches = parts.batches
    size = samples or (batches.batch_size if batches is not None else 0)
    n = batches.epoch_samples if batches is not None else 0
    assumed = [] if size else ["batch_size", "samples"]
    ranks = 1 if parts.team is None else parts.team.size
    n *= ranks
    arguments.batch_size = (size or 1) * ranks
    if not n:
        assumed.append("epoch")
        n = arguments.batch_size * arguments.accumulation * _MADE_UP_EPOCH
    return n, assumed


def _run_settings(arguments: Arguments, settings: VariantSettings, epochs: int) -> RunSettings:
    name = variant_name(arguments.name)
    return RunSettings(
        variants=(Variant(name=name, settings=settings),),
        problem=script_name(),
        epochs=epochs,
        device="cpu",
        checkpoint_every=0.0,
        measuring=False,
        is_script=True,
    )


def _settings(arguments: Arguments, parts: LoopParts, n: int, lr: float | None) -> VariantSettings:
    name, momentum, schedule = "own", 0.0, LrSchedule.CONSTANT
    base = lr or 0.0
    if (updates := parts.updates) is not None:
        base = updates.base_lr
        name, momentum = updates.described
        schedule = LrSchedule.OWN if updates.has_schedule else schedule
    arguments.base_lr = base if 0 < base < float("inf") else 1.0
    size = arguments.batch_size
    return VariantSettings(
        batch_size=size,
        lr=arguments.base_lr,
        base_batch=min(size * arguments.accumulation, n),
        accumulation_steps=arguments.accumulation,
        momentum=momentum,
        optimizer=name,
        drop_last=parts.batches is not None and parts.batches.drop_last and size <= n,
        schedule=schedule,
    )


def _started(
    settings: VariantSettings,
    n: int,
    epochs: int,
    parts: LoopParts,
    assumed: tuple[str, ...],
) -> Started:
    updates, device = parts.updates, "cpu"
    if updates is not None:
        device = updates.device
    if parts.team is not None:
        device = f"{device} × {parts.team.size} ranks"
    return Started(
        generation=1,
        settings=settings,
        n=n,
        model=SCRIPT,
        parameters=0 if updates is None else updates.parameters,
        device=device,
        threads=_threads(),
        epochs=epochs,
        pace=None,
        assumed=assumed,
    )


def script_name() -> str:
    """The file that the user runs; "python" for an interactive session."""
    name = Path(sys.argv[0]).name if sys.argv and sys.argv[0] not in ("", "-c") else ""
    return clean(name) or "python"


def _threads() -> int:
    torch = sys.modules.get("torch")
    return 0 if torch is None else int(torch.get_num_threads())


def _buffer() -> NumberBuffer:
    """Numbers may be tensors as soon as torch is loaded."""
    if "torch" not in sys.modules:
        return HostBuffer()
    from engine.tracking.loop.losses import TensorBuffer

    return TensorBuffer()
