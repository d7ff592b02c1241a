"""Peak memory of an update, counting tensors but not torch itself."""

from collections.abc import Callable, Collection, Sequence
from itertools import chain
from typing import Any, Final

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from engine.training.trainer import Trainer


class _Peak(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts how many bytes of the storages returned by operations are alive at once.

    Storages in `known`, such as data and weights, are not counted.
    """

    def __init__(self, known: Collection[int]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = 0
        self._known = known
        self._live: dict[int, tuple[StorageWeakRef, int]] = {}

    def __torch_dispatch__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        tensors = (each for each in tree_iter(result) if isinstance(each, Tensor))
        for part in chain.from_iterable(map(_parts, tensors)):
            reference = _reference(part)
            if reference.cdata not in self._known:
                self._live[reference.cdata] = (reference, part.untyped_storage().nbytes())
        self._live = {key: held for key, held in self._live.items() if not _is_gone(held[0])}
        self.peak = max(self.peak, sum(size for _, size in self._live.values()))
        return result


def _parts(tensor: Tensor) -> tuple[Tensor, ...]:
    """The tensors with a storage of which this one consists, several if it is sparse."""
    match tensor.layout:
        case torch.strided:
            return (tensor,)
        case torch.sparse_coo:
            return tensor._indices(), tensor._values()
        case torch.sparse_csr | torch.sparse_bsr:
            return tensor.crow_indices(), tensor.col_indices(), tensor.values()
        case torch.sparse_csc | torch.sparse_bsc:
            return tensor.ccol_indices(), tensor.row_indices(), tensor.values()
    return ()


def _reference(tensor: Tensor) -> StorageWeakRef:
    return StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]


def _is_gone(reference: StorageWeakRef) -> bool:
    return bool(reference.expired())  # type: ignore[no-untyped-call]


_UPDATES: Final = 2
"""The first update creates the optimiser's state, so memory peaks in the second."""


def peak_bytes(
    make_trainer: Callable[[], Trainer], data: Sequence[Tensor], device: torch.device
) -> int:
    """Peak bytes of tensors alive at once, from the creation of a trainer to its second update.

    Includes `data`, the problem's training tensors, and weights, gradients, optimiser state and
    tensors saved for the backward pass. On CUDA the allocator reports the peak; on other devices
    the operations are observed.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        _train(make_trainer())
        return int(torch.cuda.max_memory_allocated(device) - before)
    # Kept alive, since a new storage may reuse the address of a freed one.
    held = [part for tensor in data for part in _parts(tensor)]
    known = {reference.cdata: reference for reference in map(_reference, held)}
    watched = _Peak(known.keys())
    with watched:
        _train(make_trainer())
    data_bytes: int = sum(part.untyped_storage().nbytes() for part in held)
    return watched.peak + data_bytes


def _train(trainer: Trainer) -> None:
    for _ in range(_UPDATES):
        trainer.advance(trainer.batches_for(1))
