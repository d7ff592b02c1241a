"""Finds, by trial, the weight with which a loss equals the combined losses of its parts."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import torch
from torch import Tensor

from engine.settings import LossKind
from engine.training.averaging.totals import Mean

_MOST_VALUES: Final = 64
"""Target values that are tried as the value ignored by the loss."""
_ANY: Final = "weight=…"


def suggest(
    kind: LossKind, outcomes: Iterable[tuple[float, Any]], whole: float, tolerance: float
) -> str:
    """The argument for Problem that describes the loss, e.g. a mean over targets other than −100.

    `outcomes` are the loss and target of each part; `whole` is the loss of all parts together.
    """
    if kind is LossKind.SUM:
        return 'weight="sum"'
    if kind is not LossKind.AVERAGE:
        return ""
    parts = list(outcomes)
    for name, first, targets in _targets([target for _, target in parts]):
        for ignored in _values(targets):
            mean = Mean()
            for (loss, _), target in zip(parts, targets, strict=True):
                mean.add(loss, (target[..., first:] != ignored).sum(), 0)
            if abs(mean.value - whole) <= tolerance * abs(whole):
                cut = f"[..., {first}:]" if first else ""
                return f"weight=lambda output, target: ({name}{cut} != {ignored}).sum()"
    return _ANY


def _targets(targets: list[Any]) -> Iterator[tuple[str, int, list[Tensor]]]:
    """Tensors of class numbers that the loss may use: name, first position that counts, values."""
    if all(isinstance(target, Tensor) for target in targets):
        named = {"target": targets}
    else:
        keys = targets[0] if isinstance(targets[0], dict) else ()
        named = {f"target[{key!r}]": [target[key] for target in targets] for key in keys}
    for name, tensors in named.items():
        if all(isinstance(t, Tensor) and not t.is_floating_point() for t in tensors):
            for first in (0, 1) if tensors[0].ndim > 1 else (0,):
                yield name, first, tensors


def _values(targets: list[Tensor]) -> list[int]:
    """Values among the targets, beginning with those most commonly ignored."""
    found = torch.cat([target.flatten() for target in targets]).tolist()
    found = sorted(set(found))
    usual = [value for value in (-100, -1, 0) if value in found]
    return [*usual, *(value for value in found if value not in usual)][:_MOST_VALUES]
