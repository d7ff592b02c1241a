"""State of a model besides its weights: BatchNorm's running mean and variance.

These statistics belong to the weights at which they were gathered, and are wrong at other weights,
such as those of a plane. They are recomputed there from the data, as for averaged or interpolated
weights (Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima and Better Generalization",
section 3.2).
"""

from collections.abc import Callable

import torch
from torch import nn

# BatchNorm of any dimension, SyncBatchNorm, InstanceNorm: all that keep a running mean, variance.
_Normalising = nn.modules.batchnorm._NormBase


class Normalising:
    """The layers of a model that normalise by stored statistics in eval mode."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._layers = [
            layer
            for layer in model.modules()
            if isinstance(layer, _Normalising) and layer.running_mean is not None
        ]

    def __bool__(self) -> bool:
        """True if the model has such a layer."""
        return bool(self._layers)

    def renew(self, passes: Callable[[], None]) -> None:
        """Replace the statistics with the mean of those in these forward passes.

        All samples weigh the same only if all passes have the same size, of at least two samples.
        Other layers, such as dropout, stay in eval mode.
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
        """True if training changes no state but these layers'. Leaves the model unchanged."""
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
