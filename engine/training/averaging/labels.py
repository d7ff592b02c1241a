"""Weights for Hugging Face models, which compute their own loss from `labels`.

Their cross-entropies ignore labels of −100. Causal language models shift the labels by one
position, so the first label of each sample is not a target. The models are recognised by name, so
transformers need not be installed.
"""

from collections.abc import Mapping
from typing import Any, Final

from torch import Tensor, nn

from engine.settings import LossAverage
from engine.training.averaging.average import Average

_PACKAGES: Final = ("transformers", "peft")
_CAUSAL: Final = "CausalLM"
"""Part of the class name of the output of models that shift their labels."""
_WEIGHT: Final = (
    f'(target["labels"][..., int("{_CAUSAL}" in type(output).__name__) :] != -100).sum()'
)


def average_of(model: nn.Module) -> Average | None:
    """The average over labels if the model is, or contains, a Hugging Face model; else None."""
    kinds = (kind for module in model.modules() for kind in type(module).__mro__)
    if not any(kind.__module__.partition(".")[0] in _PACKAGES for kind in kinds):
        return None
    return Average(LossAverage(over="labels other than -100", weight=_WEIGHT), _weigh)


def _weigh(loss: Tensor, output: Any, target: Any) -> Tensor | int:
    """Labels counted by the model's own loss; the number of samples if the loss is another one."""
    labels = target.get("labels") if isinstance(target, Mapping) else None
    own = output.get("loss") if isinstance(output, Mapping) else getattr(output, "loss", None)
    if labels is None or own is not loss or labels.is_floating_point():
        return _samples(target)
    first = int(_CAUSAL in type(output).__name__ and labels.ndim > 1)
    count: Tensor = (labels[..., first:] != -100).sum()
    return count


def _samples(target: Any) -> int:
    """Samples of a batch: the length of its longest tensor."""
    if isinstance(target, Mapping):
        return max((_samples(each) for each in target.values()), default=0)
    return len(target) if isinstance(target, Tensor) and target.ndim else 0
