"""A checkpoint's weights as a safetensors file that `load_state_dict` takes as it is."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from engine.checkpoint.checkpoint import Checkpoint
from engine.checkpoint.file import DRAFT, CheckpointError
from engine.checkpoint.store import CheckpointStore
from engine.checkpoint.tensors import kind_of, parts_of
from engine.checkpoint.values import unpack
from engine.log.file import LogError
from engine.log.filesystem.sync import sync_file
from engine.log.lineage.past import Past
from engine.log.lineage.points import PointError, route_to
from engine.settings.ranges import MOST_COUNTED


def last_checkpoint(
    logs: Mapping[str, Path], variant: str, batches: int
) -> tuple[Checkpoint, tuple[CheckpointError, ...]]:
    """The last sound checkpoint of a variant's training up to so many batches.

    `logs`: those of the run's variants. A training that was resumed, rewound or forked has a past
    in other generations, perhaps of another variant; their checkpoints up to there are its own.
    Returns with it the later ones that cannot be used. Raises CheckpointError if there is none.
    """
    refused: list[CheckpointError] = []
    first: int | None = None
    for part in reversed(_parts(logs, variant)):
        store, until = CheckpointStore(part.log), min(batches, part.until)
        found, unusable = store.newest(part.generation, until)
        refused += unusable
        if found is not None and found.batches >= part.begin:
            return found, tuple(refused)
        first = min(
            (
                each.batches
                for each in store.stored()
                if each.generation == part.generation and part.begin <= each.batches <= part.until
            ),
            default=first,
        )
    reason = "it has no checkpoints"
    if refused:
        reason = str(refused[-1])
    elif first is not None:
        reason = f"its first checkpoint is at batch {first:,}"
    raise CheckpointError(logs[variant], reason)


@dataclass(frozen=True, slots=True)
class _Part:
    """The part of a training that one generation holds, in batches done at its ends."""

    log: Path
    generation: int
    begin: int = 0
    until: int = MOST_COUNTED


def _parts(logs: Mapping[str, Path], variant: str) -> list[_Part]:
    """The parts of a variant's training, from the initial weights on."""
    with contextlib.suppress(LogError, PointError):  # weights can be had without the logs
        generation = Past.read(logs[variant]).generation
        route = route_to(logs, variant, generation) if generation else []
        begins = [0, *(each.until for each in route)]
        parts = [
            _Part(each.log, each.past.generation, begin, each.until)
            for begin, each in zip(begins, route, strict=False)
        ]
        if parts:  # the last checkpoint may be on the disk before the end of the log is
            return [*parts[:-1], replace(parts[-1], until=MOST_COUNTED)]
    stored = CheckpointStore(logs[variant]).stored()
    return [_Part(logs[variant], stored[-1].generation)] if stored else []


def weights_of(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """The weights by their names in `state_dict()`; ValueError if there are none.

    Tied weights are there under each of their names.
    """
    state = unpack(checkpoint.header.state, checkpoint.tensors)
    try:
        model: Mapping[str, Any] = state["modules"]["model"]
        weights = {name: model["tensors"][kept] for name, kept in model["saved"].items()}
    except (KeyError, TypeError, AttributeError):
        raise ValueError("it holds no weights") from None
    if not all(isinstance(each, Tensor) and kind_of(each) for each in weights.values()):
        raise ValueError("its weights are of a type that safetensors files do not have")
    return weights


def write_weights(path: Path, weights: Mapping[str, Tensor], note: Mapping[str, str]) -> int:
    """Write a safetensors file, whole or not at all; returns its bytes. Raises OSError."""
    draft = path.with_name(f".{path.name}{DRAFT}")
    try:
        with draft.open("wb") as file:
            plain = {name: each.contiguous() for name, each in weights.items()}
            size = sum(file.write(part) for part in parts_of(plain, note))
            file.flush()
            sync_file(file.fileno())
        draft.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
    return size
