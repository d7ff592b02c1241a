"""A checkpoint's weights as a safetensors file that `load_state_dict` takes as it is."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from engine.checkpoint.checkpoint import Checkpoint
from engine.checkpoint.file import DRAFT, CheckpointError
from engine.checkpoint.store import CheckpointStore
from engine.checkpoint.tensors import kind_of, parts_of
from engine.checkpoint.values import unpack
from engine.log.filesystem.sync import sync_file


def last_checkpoint(log: Path, batches: int) -> tuple[Checkpoint, tuple[CheckpointError, ...]]:
    """The last sound checkpoint of a variant's last generation up to so many batches.

    Returns with it the later ones that cannot be used. Raises CheckpointError if there is none.
    """
    store = CheckpointStore(log)
    stored = store.stored()
    generation = stored[-1].generation if stored else 1
    found, refused = store.newest(generation, batches)
    if found is None:
        before = [each.batches for each in stored if each.generation == generation]
        reason = "it has no checkpoints"
        if refused:
            reason = str(refused[-1])
        elif before:
            reason = f"its first checkpoint is at batch {before[0]:,}"
        raise CheckpointError(log, reason)
    return found, refused


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
