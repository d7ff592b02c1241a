"""Weights for Hugging Face models, which compute their own loss from `labels`.

Their cross-entropies ignore labels of −100. Causal language models shift the labels by one
position, so the first label of each sample is not a target. The models are recognised by name, so
transformers need not be installed.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from torch import Tensor, nn

from engine.problem import ProblemError, own_loss
from engine.settings import LossAverage
from engine.training.averaging.average import Average

_PACKAGES: Final = ("transformers", "peft")
_CAUSAL: Final = "CausalLM"
"""Part of the class name of the output of models that shift their labels."""
_SHIFTING: Final = (f"For{_CAUSAL}", "LMHeadModel")
"""Parts of the class names of these models, whose output may also be a tuple."""
_WEIGHT: Final = '(target["labels"][..., int({}"{}" in type(output).__name__) :] != -100).sum()'


def average_of(model: nn.Module) -> Average | None:
    """The average over labels if the model is, or contains, a Hugging Face model; else None."""
    kinds = [kind for module in model.modules() for kind in type(module).__mro__]
    if not any(kind.__module__.partition(".")[0] in _PACKAGES for kind in kinds):
        return None
    shifts = any(part in kind.__name__ for kind in kinds for part in _SHIFTING)
    weight = _WEIGHT.format("isinstance(output, tuple) or " * shifts, _CAUSAL)
    described = LossAverage(over="labels other than -100", weight=weight)
    return Average(described, partial(_weigh, shifts))


def _weigh(shifts: bool, loss: Tensor, output: Any, target: Any) -> Tensor | int:
    """Labels counted by the model's own loss; the number of samples if the loss is another one.

    `shifts`: labels, in a model whose output may be a tuple.
    """
    labels = target.get("labels") if isinstance(target, Mapping) else None
    if labels is None or _own_loss(output) is not loss or labels.is_floating_point():
        return _samples(target)
    is_causal = shifts if isinstance(output, tuple) else _CAUSAL in type(output).__name__
    count: Tensor = (labels[..., int(is_causal and labels.ndim > 1) :] != -100).sum()
    return count


def _own_loss(output: Any) -> Any:
    try:
        return own_loss(output)
    except ProblemError:
        return None


def _samples(target: Any) -> int:
    """Samples of a batch: the length of its longest tensor."""
    if isinstance(target, Mapping):
        return max((_samples(each) for each in target.values()), default=0)
    return len(target) if isinstance(target, Tensor) and target.ndim else 0
