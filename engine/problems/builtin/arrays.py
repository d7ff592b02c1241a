"""The user's own arrays from an `.npz` file; also serves `mnist`, a small CNN on such images."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.problem import Problem
from engine.problems.parts.split import Indices
from engine.problems.tabular.arrays import Samples, as_images, read_arrays
from engine.problems.tabular.fitting import make_problem, split
from engine.problems.tabular.location import FileLocation
from engine.problems.tabular.target import Target, read_target
from engine.settings import DataSettings


def make(seed: int, data: DataSettings, *, model: str = "linear") -> Problem:
    """The problem with the file's data, validated on its test set or else on a held-out share.

    `model` is used if `data` names none. Raises SettingsError if the file cannot be used.
    """
    location = FileLocation(path=Path(data.path))
    if data.target is not None:
        raise location.wrong(
            "--target names a column of a table; in an .npz the target is the array y"
        )
    samples = read_arrays(location.path)
    if samples.test is not None and data.validation is not None:
        raise location.wrong("has its own x_test; omit --validation")
    target, rows = _split(samples, data, location, seed)
    spec = data.model or model
    everything = _joined(0, samples)
    inputs = as_images(everything) if spec == "cnn" else everything
    return make_problem((inputs[rows[0]], inputs[rows[1]]), target, rows, spec, standardise=True)


def _split(
    samples: Samples, data: DataSettings, location: FileLocation, seed: int
) -> tuple[Target, tuple[Indices, Indices]]:
    values = _joined(1, samples)
    are_labels = values.dtype.kind in "biuU"
    name = "array y" if samples.test is None else "array y_train"
    target = read_target(values, location.of(name), are_labels=are_labels)
    if samples.test is None:
        return target, split(target, data.validation_share, seed)
    end = len(samples.train[1])
    rows = np.arange(end), np.arange(end, len(values))
    if target.classes:
        unseen = ~np.isin(samples.test[1], samples.train[1])
        if unseen.any():
            first = int(unseen.argmax())
            raise location.of("array y_test").wrong(
                f"class {samples.test[1][first]} is not in y_train", sample=first
            )
    return target, rows


def _joined(part: int, samples: Samples) -> NDArray[Any]:
    """Inputs (0) or target (1) of all samples, beginning with the training samples."""
    if samples.test is None:
        return samples.train[part]
    return np.concatenate([samples.train[part], samples.test[part]])
