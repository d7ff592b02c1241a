"""Properties of a user's loader: its length, the size of its batches, the order it can keep."""

import contextlib
from collections.abc import Iterable
from typing import Any, Final

import torch
from torch.utils.data import BatchSampler, DataLoader, IterableDataset

from engine.settings import MOST

UNKNOWN: Final = 0


def samples_in(batch: Any) -> int:
    """The samples in a batch, by the first dimension of its first tensor; 0 if it has none."""
    if isinstance(batch, torch.Tensor):
        return int(batch.shape[0]) if batch.dim() else UNKNOWN
    parts: Iterable[Any] = ()
    if isinstance(batch, dict):
        parts = batch.values()
    elif isinstance(batch, list | tuple):
        parts = batch
    elif hasattr(batch, "shape") and len(batch.shape):
        return int(batch.shape[0])
    return next((size for each in parts if (size := samples_in(each))), UNKNOWN)


def length_of(source: Any) -> int:
    """The length; unknown if there is none, or one that only stands for "endless"."""
    try:
        length = len(source)
    except (TypeError, NotImplementedError):
        return UNKNOWN
    return length if length <= MOST else UNKNOWN


def why_fixed(loader: Iterable[Any]) -> str:
    if type(loader) is not DataLoader:
        return f"the loader is a {type(loader).__name__}, not a plain torch DataLoader"
    if isinstance(loader.dataset, IterableDataset):
        return "the loader reads an IterableDataset, whose samples come in an order of its own"
    if type(loader.batch_sampler) is not BatchSampler:
        return "the loader has a batch sampler of its own, which decides the size"
    if not getattr(loader, "in_order", True):
        return "the loader's workers deliver batches in any order (in_order=False)"
    return ""


def why_unordered(loader: Iterable[Any]) -> str:
    """Why a place in the order of the batches cannot be found again; empty if it can."""
    if isinstance(getattr(loader, "dataset", None), IterableDataset):
        return "the loader reads an IterableDataset, whose place is not known"
    if not getattr(loader, "in_order", True):
        return "the loader's workers deliver batches in any order (in_order=False)"
    return ""


def state_of(loader: Any) -> Any:
    """The place as a loader describes it by itself, such as torchdata's; None if it does not.

    A wrapper, such as accelerate's, has the methods also if the loader inside has not.
    """
    if all(callable(getattr(loader, name, None)) for name in ("state_dict", "load_state_dict")):
        with contextlib.suppress(Exception):
            return loader.state_dict()
    return None
