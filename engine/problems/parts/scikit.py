"""Loads the real data sets that scikit-learn ships, as tensors split for validation.

If scikit-learn is missing, the error says what to install.
"""

from importlib import import_module
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from engine.problems.parts.extras import needs_extra
from engine.problems.parts.split import hold_out_stratified

VALIDATION_SHARE: Final = 0.2

Split = tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]


def load(name: str, seed: int, problem: str) -> Split:
    """Stratified (inputs, labels) to train and validate on: float32 (n, features), int64 (n,).

    `name` is the end of `sklearn.datasets.load_…`. Raises SettingsError without scikit-learn.
    """
    with needs_extra(f"problem {problem}"):
        datasets: Any = import_module("sklearn.datasets")
    inputs, labels = getattr(datasets, f"load_{name}")(return_X_y=True)
    train, held_out = hold_out_stratified(labels, VALIDATION_SHARE, seed)

    def part(rows: np.ndarray[Any, Any]) -> tuple[Tensor, Tensor]:
        return torch.from_numpy(inputs[rows]).float(), torch.from_numpy(labels[rows]).long()

    return part(train), part(held_out)
