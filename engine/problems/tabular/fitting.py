"""Makes a problem from arrays: splits off validation data, chooses model, loss and metric."""

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.problem import Problem
from engine.problems.parts import losses
from engine.problems.parts.factories import (
    AnyFactory,
    CNNFactory,
    LinearFactory,
    MLPFactory,
    StandardisedFactory,
    Statistics,
)
from engine.problems.parts.split import Indices, hold_out, hold_out_stratified
from engine.problems.tabular.target import Target, TargetKind
from engine.settings import FULL, SettingsError

LEAST_SIDE: Final = 4
"""In pixels: smaller images are too small to be halved twice."""

_FEW: Final = 1024
"""In samples: with fewer, the usual batch sizes for tables would cover almost all of them."""
_FOR_FEW: Final = (FULL, 32, 1)

Part = tuple[Tensor, Tensor]


def split(target: Target, share: float, seed: int) -> tuple[Indices, Indices]:
    """Indices of training and held-out samples, stratified by class if there are classes."""
    n = len(target.values)
    if share == 0:
        return np.arange(n), np.arange(0)
    if target.kind is TargetKind.NUMBER:
        return hold_out(n, share, seed)
    return hold_out_stratified(target.values, share, seed)


def make_problem(
    inputs: tuple[NDArray[Any], NDArray[Any]],
    target: Target,
    rows: tuple[Indices, Indices],
    model: str,
    *,
    standardise: bool,
) -> Problem:
    """The problem with these training and held-out inputs (n, …) and the targets at their `rows`.

    `model` is linear, mlp:WIDTHS or cnn. With `standardise`, the model scales its inputs by the
    statistics of the training part, per feature or per channel of an image. Raises SettingsError if
    the model does not fit the inputs.
    """
    values, metrics = _judged(target, rows[0])
    train, held_out = (
        (torch.from_numpy(part), torch.from_numpy(values[index]))
        for part, index in zip(inputs, rows, strict=True)
    )
    return Problem(
        train=train,
        validation=held_out if len(held_out[0]) else None,
        model=_model(train[0], _outputs(target), model, standardise=standardise),
        loss=_LOSSES[target.kind],
        metrics=metrics,
        defaults={"batch_sizes": _FOR_FEW} if len(train[0]) < _FEW else {},
    )


_LOSSES: Final = {
    TargetKind.TWO_CLASSES: losses.binary_loss,
    TargetKind.CLASSES: losses.class_loss,
    TargetKind.NUMBER: losses.squared_loss,
}


def _judged(
    target: Target, train: Indices
) -> tuple[NDArray[Any], dict[str, Callable[[Tensor, Tensor], Tensor]]]:
    """The target in the form that the loss expects, and the metrics.

    Numbers are standardised by the training part, so that predicting the mean has a squared error
    of 1.
    """
    match target.kind:
        case TargetKind.TWO_CLASSES:
            return target.values.astype(np.float32), {"accuracy": losses.binary_accuracy}
        case TargetKind.CLASSES:
            return target.values, {"accuracy": losses.accuracy}
        case TargetKind.NUMBER:
            mean, std = target.values[train].mean(), float(target.values[train].std()) or 1.0
            return ((target.values - mean) / std).astype(np.float32), {
                "mae": losses.AbsoluteError(unit=std)
            }


def _outputs(target: Target) -> int:
    return len(target.classes) if target.kind is TargetKind.CLASSES else 1


def _model(inputs: Tensor, outputs: int, spec: str, *, standardise: bool) -> AnyFactory:
    kind, _, widths = spec.partition(":")
    make: LinearFactory | MLPFactory | CNNFactory
    if kind == "cnn":
        if inputs.ndim != 4 or min(inputs.shape[2:]) < LEAST_SIDE:
            shape = "×".join(map(str, inputs.shape[1:]))
            raise SettingsError(
                f"--model cnn needs images of at least 4×4 pixels, not samples of {shape}"
            )
        channels, height, width = inputs.shape[1:]
        make = CNNFactory(channels=channels, height=height, width=width, classes=outputs)
    else:
        features = math.prod(inputs.shape[1:])
        hidden = tuple(map(int, widths.split(","))) if kind == "mlp" else ()
        make = (
            LinearFactory(features=features, outputs=outputs)
            if inputs.ndim == 2 and not hidden
            else MLPFactory(features=features, hidden=hidden, outputs=outputs)
        )
    if not standardise:
        return make
    mean, std = map(Statistics.of, _statistics(inputs, per_channel=kind == "cnn"))
    return StandardisedFactory(mean=mean, std=std, inner=make)


def _statistics(inputs: Tensor, *, per_channel: bool) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation over the samples; the deviation is 1 for constant features."""
    over = (0, 2, 3) if per_channel else (0,)
    mean, square = _moments(inputs, over)
    std = (square - mean.square()).clamp(min=0).sqrt()
    return mean.float(), torch.where(std > 1e-6 * (1 + mean.abs()), std, 1.0).float()


def _moments(inputs: Tensor, over: tuple[int, ...], piece: int = 4096) -> tuple[Tensor, Tensor]:
    """Means of x and of x², (1, …), in float64; in pieces, as uint8 data would grow eightfold."""
    sums = [torch.zeros(()), torch.zeros(())]
    for part in torch.split(inputs, piece):
        exact = part.double()
        sums[0] = sums[0] + exact.sum(over, keepdim=True)
        sums[1] = sums[1] + exact.square().sum(over, keepdim=True)
    count = inputs.numel() / sums[0].numel()
    return sums[0] / count, sums[1] / count
