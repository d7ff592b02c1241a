"""Peak memory of one update: tensors only, without torch itself."""

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
    """Watches the storages that operations return, and how many bytes of them live at once.

    What was there before and is only read, data and weights, is not among them.
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
"""The optimiser's state is there from the first update on: the second one is the peak."""


def peak_bytes(problem: Problem, settings: VariantSettings, seed: int, device: torch.device) -> int:
    """Peak bytes of tensors alive at once, from a trainer's making to its second update.

    Data, weights, gradients, optimiser state and what the backward pass needs. CUDA is asked for
    its own account; elsewhere the operations are watched.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        _train(problem, settings, seed, device)
        return int(torch.cuda.max_memory_allocated(device) - before)
    # Kept alive: the address of a storage that is gone may become another one's.
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
