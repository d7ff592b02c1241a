"""Copies of models for measuring: uncompiled, with dense gradients, in float32 at least.

The copy computes the same function of the same weights, in a form that torch differentiates twice.
"""

import copy
from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_iter

_COARSE: Final = (torch.float16, torch.bfloat16)
"""Types with 8 to 11 bits of precision: second derivatives in them are mostly rounding."""


def plain_copy(model: nn.Module) -> nn.Module:
    """A copy of the model in eval mode, at the same weights, which shares no tensor with it."""
    model = _uncompiled(model)
    twin = copy.deepcopy(model, _memo(model)).eval()
    for module in [*twin.modules()]:
        for name, child in module.named_children():
            setattr(module, name, _uncompiled(child))
        if isinstance(module, nn.Embedding | nn.EmbeddingBag):
            module.sparse = False  # sparse gradients have no derivative of their own
    return twin


def _uncompiled(model: nn.Module) -> nn.Module:
    """The module behind torch.compile; other modules are returned as they are."""
    inner = getattr(model, "_orig_mod", model)
    return inner if isinstance(inner, nn.Module) else model


def _memo(model: nn.Module) -> dict[int, Any]:
    """Copies of tensors that deepcopy refuses: computed results that a module keeps.

    Examples are the weight of torch.nn.utils.weight_norm, or an attention map that is kept.
    """
    return {
        id(tensor): tensor.detach().clone()
        for module in model.modules()
        for tensor in tree_iter(vars(module))
        if isinstance(tensor, Tensor) and tensor.grad_fn is not None
    }


def is_coarse(model: nn.Module) -> bool:
    """True if some weights have a 16-bit type."""
    return any(parameter.dtype in _COARSE for parameter in model.parameters())


def widen(model: nn.Module) -> None:
    """Convert 16-bit weights and buffers to float32, which represents them exactly."""
    model._apply(  # type: ignore[no-untyped-call]
        lambda tensor: tensor.float() if tensor.dtype in _COARSE else tensor
    )


def widened(samples: Any) -> Any:
    """The samples, converted in the same way as a widened model."""
    if isinstance(samples, Tensor):
        return samples.float() if samples.dtype in _COARSE else samples
    if isinstance(samples, Mapping):
        return {name: widened(value) for name, value in samples.items()}
    if isinstance(samples, tuple | list):
        return [widened(value) for value in samples]
    return samples
