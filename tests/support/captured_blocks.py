"""Captured blocks of trainers; on the CPU, a list of operations stands for the CUDA graph."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from engine.training.compiled.captured import CapturedBlock
from engine.training.compiled.suitability import spec_of
from engine.training.devices.graphs import Work
from engine.training.trainer import Trainer


class _Tape(TorchDispatchMode):
    """Lists operations as they are done, and undoes them afterwards."""

    def __init__(self) -> None:
        super().__init__()
        self._done: list[tuple[Any, Any, Any, Any]] = []
        self._before: dict[int, tuple[Tensor, Tensor]] = {}
        self._made: set[int] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func.name() == "aten::_local_scalar_dense":  # a number for Python
            raise RuntimeError("operation not permitted when stream is capturing")
        for each in tree_leaves((args, kwargs)):
            if isinstance(each, Tensor) and id(each) not in self._made:
                self._before.setdefault(id(each), (each, each.clone()))
        result = func(*args, **kwargs)
        self._made |= {id(each) for each in tree_leaves(result)} - self._before.keys()
        self._done.append((func, args, kwargs, result))
        return result

    @torch.no_grad()
    def undo(self) -> None:
        for tensor, value in self._before.values():
            tensor.copy_(value)

    @torch.no_grad()
    def do_again(self, results: dict[str, Tensor]) -> dict[str, Tensor]:
        again: dict[int, Tensor] = {}

        def current(values: Any) -> Any:
            return tree_map_only(Tensor, lambda each: again.get(id(each), each), values)

        for func, args, kwargs, result in self._done:
            got = func(*current(args), **current(kwargs))
            for old, new in zip(tree_leaves(result), tree_leaves(got), strict=True):
                if isinstance(old, Tensor):
                    again[id(old)] = new
        found: dict[str, Tensor] = current(results)
        return found


class TapeRecorder:
    """Records operations on tensors where they are, as CUDA does.

    Numbers of Python are part of a recording, and its code is not run again.
    """

    def __init__(self) -> None:
        self.recorded = 0
        """Number of recordings."""

    def warm_up(self, work: Work) -> None:
        work()

    def record(self, work: Work) -> Work:
        self.recorded += 1
        tape, draws = _Tape(), torch.get_rng_state()
        with tape:
            results = work()
        tape.undo()
        torch.set_rng_state(draws)
        return lambda: tape.do_again(results)


def captured(trainer: Trainer, recorder: TapeRecorder | None = None) -> CapturedBlock:
    """The captured block of a trainer that has done an update."""
    spec = spec_of(trainer)
    samples = trainer.source.take(0, spec.size)
    if trainer.device.type != "cuda":
        recorder = recorder or TapeRecorder()
    return CapturedBlock(spec, trainer.objective, trainer.recipe, samples, recorder)
