"""State of a model's layers beside its weights: BatchNorm's running mean and variance.

They belong to the weights at which they were taken: at other weights, such as those of a plane,
they are wrong. There they are taken anew from the data, as for averaged or interpolated weights
(Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima and Better Generalization", section
3.2).
"""

from collections.abc import Callable

import torch
from torch import nn

# BatchNorm of any dimension, SyncBatchNorm, InstanceNorm: what keeps a running mean and variance.
_Normalising = nn.modules.batchnorm._NormBase


class Normalising:
    """The layers of a model in eval mode that normalise by what they remember."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._layers = [
            layer
            for layer in model.modules()
            if isinstance(layer, _Normalising) and layer.running_mean is not None
        ]

    def __bool__(self) -> bool:
        """True when the model has such a layer."""
        return bool(self._layers)

    def renew(self, passes: Callable[[], None]) -> None:
        """Remember the mean of what is seen in these forward passes, and only that.

        Samples of unlike passes weigh alike only if the passes hold as many, of two samples at
        least. All else, such as dropout, stays as in eval mode.
        """
        momenta = [layer.momentum for layer in self._layers]
        try:
            for layer in self._layers:
                layer.reset_running_stats()
                layer.momentum = None  # the plain mean over the passes
                layer.train()
            with torch.no_grad():
                passes()
        finally:
            for layer, momentum in zip(self._layers, momenta, strict=True):
                layer.momentum = momentum
                layer.eval()

    def is_all(self, passes: Callable[[], None]) -> bool:
        """True when training changes nothing of the model but its weights. Leaves it as it was."""
        before = {name: buffer.clone() for name, buffer in self._model.named_buffers()}
        own = {id(buffer) for layer in self._layers for buffer in layer.buffers()}
        others = [
            (name, buffer) for name, buffer in self._model.named_buffers() if id(buffer) not in own
        ]
        self._model.train()
        try:
            with torch.no_grad():
                passes()
            after = dict(self._model.named_buffers())
            return all(torch.equal(after[name], before[name]) for name, _ in others)
        finally:
            self._model.eval()
            for name, buffer in self._model.named_buffers():
                buffer.copy_(before[name])
