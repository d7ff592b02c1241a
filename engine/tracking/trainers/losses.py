"""Figures of a micro-batch that a Trainer does not report; they stay on their device."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import torch
from torch import Tensor
from torch.optim import Optimizer

from engine.tracking.loop.loaders import samples_in

_IGNORED: Final = -100
"""The label of a token without a target."""
_MEAN: Final = 1
"""The reduction "mean" in torch's own numbering."""
_MOST_NODES: Final = 32
"""Nodes of a loss's graph in which to look for its reduction."""


def samples_of(batch: Any) -> int:
    """Samples in a batch of any form; 0 if unknown."""
    return samples_in(dict(batch) if isinstance(batch, Mapping) else batch)


def terms_of(inputs: Any, *, shifts: bool) -> Tensor | None:
    """The labels that a loss over tokens adds up; None unless there are labels of classes.

    `shifts`: each position predicts the next token, so the first label counts for nothing.
    """
    labels = inputs.get("shift_labels")
    if labels is None:
        labels = inputs.get("labels")
        if not isinstance(labels, Tensor) or labels.is_floating_point():
            return None
        labels = labels[..., 1:] if shifts else labels
    terms: Tensor = labels.ne(_IGNORED).sum()
    return terms


def mean_of_share(share: Tensor, total: Any, terms: Tensor) -> Tensor:
    """The mean over the terms of a micro-batch, of a sum that was divided by those of its group."""
    if isinstance(total, Tensor):
        total = total.reshape(-1)[0].to(share.device)
    mean: Tensor = share.detach() * (total / terms.to(share.device).clamp_min(1))
    return mean


def is_mean(loss: Tensor) -> bool:
    """True if one of torch's losses has averaged over the batch, as far as autograd can tell.

    A model may take the number of terms of the group, and leave it out of its loss.
    """
    nodes = [loss.grad_fn]
    for node in nodes:
        reduction = getattr(node, "_saved_reduction", None)
        if reduction is not None:
            return bool(reduction == _MEAN)
        if node is not None and len(nodes) < _MOST_NODES:
            nodes += [each for each, _ in node.next_functions]
    return False


def plain_optimizer(optimizer: Any) -> Optimizer | None:
    """The torch optimiser inside a wrapper; None if there is none."""
    while not isinstance(inner := getattr(optimizer, "optimizer", None), type(None)):
        optimizer = inner
    return optimizer if isinstance(optimizer, Optimizer) else None


def gradient_norm(parameters: Iterable[Tensor]) -> Tensor | None:
    """The norm of all gradients together, which are not changed; None without gradients."""
    gradients = [each.grad for each in parameters if each.grad is not None]
    if not gradients or any(each.is_sparse for each in gradients):
        return None
    norms = [torch.linalg.vector_norm(each.detach()) for each in gradients]
    norm: Tensor = torch.linalg.vector_norm(
        torch.stack([each.to(norms[0].device) for each in norms])
    )
    return norm
