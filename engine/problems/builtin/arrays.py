"""The user's own arrays from an `.npz` file; also serves `mnist`, a small CNN on such images."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.problem import Problem
from engine.problems.parts.split import Indices
from engine.problems.tabular.arrays import Samples, as_images, read_arrays
from engine.problems.tabular.fitting import make_problem, split
from engine.problems.tabular.location import FileLocation
from engine.problems.tabular.report import report
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
    made = make_problem((inputs[rows[0]], inputs[rows[1]]), target, rows, spec, standardise=True)
    reading = report(
        location.path.name,
        target,
        len(rows[1]),
        name=_name(samples),
        features={"numbers": math.prod(everything.shape[1:])},
        remarks=_remarks(target),
    )
    return replace(made, reading=reading)


def _name(samples: Samples) -> str:
    return "y" if samples.test is None else "y_train"


def _remarks(target: Target) -> Iterator[str]:
    """A remark on labels that some programs use for samples without one."""
    for label in (-100, -1):
        if label in target.classes and len(target.classes) > 2:
            yield f"label {label} is a class like the others, and not ignored"


def _are_classes(data: DataSettings, location: FileLocation, name: str) -> bool | None:
    """The user's decision on the target, which is the only array that has a choice."""
    for option in ("as_number", "as_text", "as_classes"):
        typed = f"--{option.replace('_', '-')}"
        for each in getattr(data, option):
            if each not in ("target", name):
                raise location.wrong(f"{typed} {each}: of arrays, only the target has a choice")
    if data.as_number and (data.as_classes or data.as_text):
        raise location.wrong("--as-number and --as-classes exclude each other")
    return False if data.as_number else True if data.as_classes or data.as_text else None


def _split(
    samples: Samples, data: DataSettings, location: FileLocation, seed: int
) -> tuple[Target, tuple[Indices, Indices]]:
    values = _joined(1, samples)
    are_labels = values.dtype.kind in "biuU"
    name = _name(samples)
    are_classes = _are_classes(data, location, name)
    target = read_target(
        values, location.of(f"array {name}"), are_labels=are_labels, are_classes=are_classes
    )
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
