"""Outputs that hold logits, and targets that hold labels, for the losses of torch."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from torch import Tensor, nn
from torch.nn import functional

_LABELS: Final = ("labels", "label", "targets", "target", "y")


def takes_tensors(loss: Any) -> bool:
    """True for a loss of torch, or a partial of one: it takes no output but a tensor."""
    kind: Any = type(loss) if isinstance(loss, nn.Module) else loss
    kind = kind.func if isinstance(kind, partial) else kind
    kind = type(kind) if isinstance(kind, nn.Module) else kind
    return getattr(kind, "__module__", "") in (functional.__name__, nn.MSELoss.__module__)


def logits_of(output: Any) -> Any:
    """The logits of a model's output: `output.logits`, or the first part of a tuple.

    A number does not count as a part: it is the loss that the model computed itself.
    """
    if isinstance(output, Mapping):
        return output.get("logits", output)
    if isinstance(output, tuple | list):
        parts = (each for each in output if isinstance(each, Tensor) and each.ndim)
        return next(parts, output)
    return getattr(output, "logits", output)


def labels_of(target: Any) -> Any:
    """The labels of a batch with names; any other target as it is."""
    if not isinstance(target, Mapping):
        return target
    return next((target[name] for name in _LABELS if name in target), target)
