"""Peak memory of an update, counting tensors but not torch itself."""

from collections.abc import Callable, Collection
from typing import Any, Final

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from engine.problem import Problem
from engine.problems.opening import tensors_of
from engine.settings import VariantSettings
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
        for tensor in tree_iter(result):
            if isinstance(tensor, Tensor):
                reference = _reference(tensor)
                if reference.cdata not in self._known:
                    self._live[reference.cdata] = (reference, tensor.untyped_storage().nbytes())
        self._live = {key: held for key, held in self._live.items() if not _is_gone(held[0])}
        self.peak = max(self.peak, sum(size for _, size in self._live.values()))
        return result


def _reference(tensor: Tensor) -> StorageWeakRef:
    return StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]


def _is_gone(reference: StorageWeakRef) -> bool:
    return bool(reference.expired())  # type: ignore[no-untyped-call]


_UPDATES: Final = 2
"""The first update creates the optimiser's state, so memory peaks in the second."""


def peak_bytes(problem: Problem, settings: VariantSettings, seed: int, device: torch.device) -> int:
    """Peak bytes of tensors alive at once, from the creation of a trainer to its second update.

    Includes data, weights, gradients, optimiser state and tensors saved for the backward pass. On
    CUDA the allocator reports the peak; on other devices the operations are observed.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        _train(problem, settings, seed, device)
        return int(torch.cuda.max_memory_allocated(device) - before)
    # Kept alive, since a new storage may reuse the address of a freed one.
    known = tensors_of(problem)
    data = {reference.cdata: reference for reference in map(_reference, known)}
    watched = _Peak(data.keys())
    with watched:
        _train(problem, settings, seed, device)
    data_bytes: int = sum(tensor.untyped_storage().nbytes() for tensor in known)
    return watched.peak + data_bytes


def _train(problem: Problem, settings: VariantSettings, seed: int, device: torch.device) -> None:
    trainer = Trainer(problem, settings, seed, device)
    for _ in range(_UPDATES):
        trainer.advance(trainer.batches_for(1))
