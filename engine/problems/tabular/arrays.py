"""Reads `.npz` files with X, y, or x_train, y_train, x_test, y_test. Never runs code from a file.

Does not import torch. Refuses pickled objects, since unpickling runs code.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.problems.tabular.headers import READING_ERRORS, memory_needed
from engine.problems.tabular.location import FileLocation, check_readable
from engine.problems.tabular.memory import check_fits

Array = NDArray[Any]

_CHANNELS: Final = (1, 3, 4)
_PAIR, _QUARTET = ("X", "y"), ("x_train", "y_train", "x_test", "y_test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Inputs (n, …) as uint8 or float32 with targets (n,); `test` is None if the file has none."""

    train: tuple[Array, Array]
    test: tuple[Array, Array] | None


def read_arrays(path: Path) -> Samples:
    """The samples in this file; SettingsError says what cannot be used, and why."""
    check_readable(path)
    location = FileLocation(path=path)
    with path.open("rb") as start:
        if start.read(6) == np.lib.format.MAGIC_PREFIX:  # numpy would read the whole array
            raise location.wrong("a single array; save inputs and target: np.savez(file, X=X, y=y)")
    try:
        file: Any = np.load(path, allow_pickle=False)
    except READING_ERRORS as error:
        raise location.wrong(f"not an .npz file that numpy can read ({error})") from None
    with file:
        return _samples(file, location)


def _samples(file: Any, location: FileLocation) -> Samples:
    """The samples, in one set or two, depending on the names of the arrays."""
    by_name = {name.lower(): name for name in file.files}
    if {name.lower() for name in _PAIR} <= by_name.keys():
        _check_memory(file, [by_name["x"], by_name["y"]], location)
        return Samples(train=_part(file, by_name["x"], by_name["y"], location), test=None)
    if missing := [name for name in _QUARTET if name not in by_name]:
        if len(missing) < len(_QUARTET):
            raise location.wrong(f"no array {missing[0]}; it holds {_list(file.files)}")
        raise location.wrong(
            f"needs arrays X, y or {', '.join(_QUARTET)}; it holds {_list(file.files)}"
        )
    x_train, y_train, x_test, y_test = (by_name[name] for name in _QUARTET)
    _check_memory(file, [x_train, y_train, x_test, y_test], location)
    train, test = _part(file, x_train, y_train, location), _part(file, x_test, y_test, location)
    if train[0].shape[1:] != test[0].shape[1:]:
        raise location.of(f"array {x_test}").wrong(
            f"samples of shape {test[0].shape[1:]}, but {train[0].shape[1:]} in {x_train}"
        )
    return Samples(train=train, test=test)


def _check_memory(file: Any, names: list[str], location: FileLocation) -> None:
    sizes = [memory_needed(file, name, location.of(f"array {name}")) for name in names]
    check_fits(location, sum(sizes), f"the arrays {_list(names)}")


def _part(file: Any, x: str, y: str, location: FileLocation) -> tuple[Array, Array]:
    inputs, target = (_load(file, name, location) for name in (x, y))
    if len(inputs) != len(target):
        raise location.of(f"array {y}").wrong(
            f"{len(target):,} values for the {len(inputs):,} samples of {x}"
        )
    return _inputs(inputs, location.of(f"array {x}")), _target(target, location.of(f"array {y}"))


def _load(file: Any, name: str, location: FileLocation) -> Array:
    where = location.of(f"array {name}")
    try:
        array = file[name]
    except READING_ERRORS as error:
        if "pickle" in str(error):
            raise where.wrong(
                "holds pickled objects, which are never loaded: save numbers"
            ) from None
        raise where.wrong(f"is damaged ({error})") from None
    if not isinstance(array, np.ndarray):  # numpy returns a member other than .npy as bytes
        raise where.wrong("is not an array")
    if array.ndim == 0 or not array.size:
        raise where.wrong("holds no samples")
    return array


def _inputs(array: Array, location: FileLocation) -> Array:
    """The inputs as (n, features…): uint8 unchanged, other numbers as float32."""
    if array.dtype.kind not in "biuf":
        raise location.wrong(f"must hold numbers, not {array.dtype}")
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array.reshape(len(array), -1) if array.ndim == 1 else array)
    with np.errstate(over="ignore"):
        inputs = np.ascontiguousarray(array, dtype=np.float32)
    bad = ~np.isfinite(inputs).reshape(len(inputs), -1)
    if count := int(bad.sum()):
        sample, column = divmod(int(bad.argmax()), bad.shape[1])
        value = array.reshape(len(array), -1)[sample, column]
        more = f" (and {count - 1:,} more)" if count > 1 else ""
        raise location.wrong(
            f"{value:g} in column {column + 1:,}{more} is not a finite float32 number",
            sample=sample,
        )
    return inputs.reshape(len(inputs), -1) if inputs.ndim == 1 else inputs


def _target(array: Array, location: FileLocation) -> Array:
    if array.dtype.kind == "S":  # as h5py saves words
        array = np.char.decode(array, "utf-8", "replace")
    if array.dtype.kind not in "biufU":
        raise location.wrong(f"must hold numbers or text, not {array.dtype}")
    if array.size != len(array):
        raise location.wrong(f"must hold one value per sample; its shape is {array.shape}")
    array = array.reshape(-1)
    if array.dtype.kind == "f" and not (finite := np.isfinite(array)).all():
        count, sample = int((~finite).sum()), int(finite.argmin())
        more = f" (and {count - 1:,} more)" if count > 1 else ""
        raise location.wrong(f"{array[sample]:g}{more} is not a finite number", sample=sample)
    return array


def as_images(inputs: Array) -> Array:
    """Images (n, h, w) or (n, h, w, channels) converted to (n, channels, h, w).

    Inputs of other shapes are returned unchanged.
    """
    if inputs.ndim == 3:
        return inputs[:, None]
    if inputs.ndim == 4 and inputs.shape[1] not in _CHANNELS and inputs.shape[3] in _CHANNELS:
        return np.ascontiguousarray(np.moveaxis(inputs, 3, 1))
    return inputs


def _list(names: list[str]) -> str:
    return ", ".join(names) or "none"
