"""Sizes of the pieces in which a data set is evaluated: what memory suffices for in training."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
from torch import Tensor, nn

from engine.training.data.sources import EvaluatedData
from engine.training.devices.errors import is_out_of_memory
from engine.training.model import Objective

_WHOLE: Final = 2048
"""Data sets up to this many samples are evaluated in one forward pass, to save calls."""
_PIECE: Final = 512
"""Samples per forward pass in larger data sets: bounds memory and fits into a CPU's caches.

A small transformer took 2.5 s for 5,813 samples of 64 tokens; with up to 8,192 samples per pass it
took 3.4 s and 1 GiB more memory.
"""
_SMALL_BYTES: Final = 8 << 20
"""Largest output of a layer that a piece of more samples than a batch of training may have."""
_LOOKED_AT: Final = 8
"""Samples in the pass that finds out how large outputs are, at most."""


def piece_size(objective: Objective, source: EvaluatedData, batch: int) -> int:
    """Samples per forward pass: no more than a batch of training, unless they are small.

    A batch of one would otherwise be evaluated sample by sample. Call it in eval mode.
    """
    most = source.n if source.n <= _WHOLE else _PIECE
    if batch >= most:
        return most
    if objective.bytes_per_sample is None:
        objective.bytes_per_sample = _bytes_per_sample(objective, source, batch)
    return max(batch, min(most, _SMALL_BYTES // max(1, objective.bytes_per_sample)))


def _bytes_per_sample(objective: Objective, source: EvaluatedData, batch: int) -> int:
    """Bytes of the largest output of a layer; too many to matter where they cannot be had."""
    if any(map(_is_compiled, objective.model.modules())):
        return _SMALL_BYTES  # it would be compiled with what looks at its layers
    sizes = [0]
    hooks = [
        each.register_forward_hook(lambda _, inputs, output: sizes.append(_bytes(output)))
        for each in objective.model.modules()
    ]
    try:
        count = min(batch, _LOOKED_AT, source.n)
        samples = source.pick(np.arange(count))
        output, _ = objective.outcome(samples)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        return _SMALL_BYTES
    finally:
        for hook in hooks:
            hook.remove()
    return max(*sizes, _bytes(samples), _bytes(output)) // count


def _is_compiled(module: nn.Module) -> bool:
    """True for a module of torch.compile, and for one that was compiled in place."""
    return hasattr(module, "_orig_mod") or getattr(module, "_compiled_call_impl", None) is not None


def _bytes(value: Any) -> int:
    if isinstance(value, Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, Mapping):
        return _total(value.values())
    if isinstance(value, tuple | list):
        return _total(value)
    held = getattr(value, "__dict__", {}).values()
    return _total(each for each in held if isinstance(each, Tensor | Mapping | tuple | list))


def _total(values: Iterable[Any]) -> int:
    return sum(map(_bytes, values))
