"""Points of a training to which a rewind or fork goes back, found in the logs of a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from engine.log.directory import RunDirectory
from engine.log.file import LogError, LogReader
from engine.log.lineage.past import Past, read_generations
from engine.log.records import Chunk, Evaluation, Origin
from engine.settings import VariantSettings


class PointError(Exception):
    """A point that no training has reached; the message says which is the last."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A group boundary that a training has reached."""

    variant: str
    """The variant whose log holds the batches before it."""
    origin: Origin | None
    """The point, with the name of its variant; None for the initial weights."""
    settings: VariantSettings
    """The settings in force after it."""
    micro_batch: int | None
    """The same for the number of samples given to the device at once."""

    @property
    def batches(self) -> int:
        """Batches done."""
        return 0 if self.origin is None else self.origin.batches


@dataclass(frozen=True, slots=True)
class Stretch:
    """The part of a training that one generation recorded."""

    log: Path
    past: Past
    """The generation."""
    until: int
    """Batches done at its end, or where the next stretch leaves it."""


def logs_of(run: RunDirectory) -> dict[str, Path]:
    """The logs of a run by variant."""
    return {each.name: run.variant_log(each.name) for each in run.info.settings.variants}


def find_point(logs: Mapping[str, Path], variant: str, generation: int, batches: int) -> Reached:
    """The last group boundary up to so many batches of a generation; 0 is the latest one.

    `logs`: those of the run's variants. Raises PointError.
    """
    found = _generations(logs, variant)
    generation = generation or max(found, default=0)
    if not found:
        raise PointError(f"{variant} has not begun to train")
    if generation not in found:
        raise PointError(f"{variant} has no generation {generation:,}")
    if batches > (last := found[generation].batches):
        raise PointError(f"{variant} has trained {last:,} batches so far, not {batches:,}")
    for name, past in _lineage(logs, variant, generation):
        origin = _Boundary(past, min(batches, past.batches)).find(logs[name])
        if origin is not None or past.origin is None:
            settings, micro_batch = past.settings_after(0 if origin is None else origin.batches)
            origin = origin and replace(origin, variant=name)
            return Reached(name, origin, settings, micro_batch)
        batches = min(batches, past.origin.batches)
    raise AssertionError("the first generation of a lineage has no origin")


def route_to(logs: Mapping[str, Path], variant: str, generation: int) -> list[Stretch]:
    """The stretches that lead to the end of a generation, from the initial weights on.

    Raises PointError if a log lacks what the origin of another generation refers to.
    """
    route: list[Stretch] = []
    until = None
    for name, past in _lineage(logs, variant, generation):
        if until is not None and until > past.batches:
            raise PointError(f"the log of {name} ends at batch {past.batches:,}, before {until:,}")
        route.insert(0, Stretch(logs[name], past, past.batches if until is None else until))
        until = None if past.origin is None else past.origin.batches
    return route


def _lineage(logs: Mapping[str, Path], variant: str, generation: int) -> list[tuple[str, Past]]:
    """A generation, that of its origin, and so on up to one from the initial weights."""
    lineage: list[tuple[str, Past]] = []
    seen = set()
    read: dict[str, dict[int, Past]] = {}
    while True:
        seen.add((variant, generation))
        if variant not in read:
            read[variant] = _generations(logs, variant)
        if (past := read[variant].get(generation)) is None:
            raise PointError(f"the log of {variant} has no generation {generation}")
        lineage.append((variant, past))
        if (origin := past.origin) is None:
            return lineage
        variant, generation = origin.variant or variant, origin.generation
        if (variant, generation) in seen:
            raise PointError(f"the logs of {variant} and its origin refer to each other")


def _generations(logs: Mapping[str, Path], variant: str) -> dict[int, Past]:
    if variant not in logs:
        raise PointError(f"no variant {variant!r}; choose from {', '.join(logs)}")
    try:
        return read_generations(logs[variant])
    except LogError as error:
        raise PointError(str(error)) from None


class _Boundary:
    """Finds the last group boundary of a generation up to a batch; a fold over its chunks."""

    def __init__(self, past: Past, limit: int) -> None:
        self._past, self._limit = past, limit
        self._found: Origin | None = None
        self._last: Chunk | None = None
        """The latest part of an epoch, if the limit is not within it."""
        self._epoch: list[Chunk] = []
        """The parts of the epoch in progress."""
        origin = past.origin
        self._before = (origin.epoch_batches, origin.epoch_loss) if origin else (0, 0.0)
        """Number and mean loss of the batches of this epoch that an earlier generation trained."""

    def find(self, log: Path) -> Origin | None:
        """The boundary, None if this generation has none after its origin."""
        for record in LogReader(log):
            if isinstance(record, Chunk) and record.generation == self._past.generation:
                if not all(map(self._take, record.by_epoch())):
                    break
            elif isinstance(record, Evaluation) and record.generation == self._past.generation:
                last = self._last
                if last is not None and record.batches == last.batch - 1 + last.batches:
                    self._end_epoch(last)
        return self._found and self._with_losses(self._found)

    def _take(self, part: Chunk) -> bool:
        """Take in the next part of an epoch; False once the limit is behind."""
        if (last := self._last) is not None and part.epoch > last.epoch:
            self._end_epoch(last)
        if part.batch > self._limit:
            return False
        count = min(part.batches, self._limit - part.batch + 1)
        groups = (part.in_update + count) // part.accumulation_steps
        whole = groups * part.accumulation_steps - part.in_update
        self._epoch.append(part)
        self._last = part if count == part.batches else None
        if whole > 0:
            self._place(part, whole, part.update - 1 + groups)
        return True

    def _end_epoch(self, last: Chunk) -> None:
        """Note that its epoch has ended with this part, and with it a group."""
        self._place(last, last.batches, last.last_update)
        self._epoch, self._last, self._before = [], None, (0, 0.0)

    def _place(self, part: Chunk, count: int, updates: int) -> None:
        is_end = count == part.batches
        self._found = Origin(
            generation=self._past.generation,
            batches=part.batch - 1 + count,
            epoch=part.epoch,
            updates=updates,
            samples=part.end_samples if is_end else part.samples + count * part.batch_size,
            seconds=part.seconds + part.duration * count / part.batches,
            loss_at_start=self._past.loss_at_start,
        )

    def _with_losses(self, found: Origin) -> Origin:
        """The boundary with the mean loss of its epoch up to there."""
        count, total = self._before[0], self._before[0] * self._before[1]
        for part in self._epoch:
            batches = max(found.batches - part.batch + 1, 0)
            losses = np.frombuffer(part.losses, "<f4")[:batches]
            total += float(losses.sum(dtype=np.float64))
            count += len(losses) - sum(each < batches for each in part.weightless)
        if not count:
            return found
        return replace(found, epoch_batches=count, epoch_loss=total / count)
