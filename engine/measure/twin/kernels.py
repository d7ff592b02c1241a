"""Kernels that torch can differentiate twice, in place of the faster ones of training.

Flash and memory-efficient attention have no second derivative, nor have cuDNN's recurrent layers
(which need training mode for their first one, too) and compiled code. Their plain forms compute the
same, up to rounding.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel


class PlainKernels:
    """Plain kernels for one model, in use inside the block of `in_use`."""

    def __init__(self, model: nn.Module, device: torch.device) -> None:
        self._without_cudnn = device.type == "cuda" and any(
            isinstance(module, nn.RNNBase) for module in model.modules()
        )

    @contextmanager
    def in_use(self, *, twice: bool) -> Iterator[None]:
        """Use plain kernels in this block; `twice` is for second derivatives."""
        with ExitStack() as stack:
            if self._without_cudnn:
                stack.enter_context(torch.backends.cudnn.flags(enabled=False))
            if not twice:  # a gradient of a small model takes no longer than what follows
                yield
                return
            stack.enter_context(sdpa_kernel(SDPBackend.MATH))
            if "torch._dynamo" in sys.modules and hasattr(torch.compiler, "set_stance"):
                # A copy of a module still calls its compiled functions. Needs torch ≥ 2.6.
                stack.enter_context(torch.compiler.set_stance("force_eager"))
            yield
