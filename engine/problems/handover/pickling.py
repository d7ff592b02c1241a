"""Pickles a user's problem with the functions in it, for another process that ran the same file.

Functions and classes of modules travel by name. Others, such as a lambda in `problem()`, travel as
their code and the values that they use; their globals are those of the module in that process.
Tensors and large arrays are left to the caller, which stores them for all workers to map.
"""

import importlib
import io
import marshal
import pickle
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import torch

_MOST_BYTES: Final = 64 << 20
"""Maximum bytes of objects other than tensors and arrays."""
_MOST_TENSORS: Final = 20_000
"""Maximum number of tensors; more take longer to hand over than most data to make."""
_SMALL: Final = 1 << 12
"""Bytes up to which a tensor is pickled as such, since a file of many small ones is slow."""
_LARGE_ARRAY: Final = 1 << 16
"""Bytes from which an array is stored as a tensor."""
_NOT_OF_A_CLASS: Final = frozenset({"__dict__", "__weakref__", "__slots__"})

Place = tuple[str, int]
"""The data set that holds a tensor, or "" for the others, and its place there."""


class HandoverError(Exception):
    """An object that cannot be handed over; the message says why."""


def dump(value: object, sets: Mapping[Place, Any]) -> tuple[bytes, list[torch.Tensor]]:
    """The pickled value, and the tensors in it that are not in `sets`, contiguous.

    Raises HandoverError.
    """
    buffer = _Bounded()
    pickler = _Pickler(buffer, sets)
    try:
        pickler.dump(value)
    except HandoverError:
        raise
    except Exception as error:  # __reduce__ of a user's class may raise anything
        raise HandoverError(" ".join(str(error).split()) or type(error).__name__) from None
    return buffer.getvalue(), pickler.tensors


def load(data: bytes, tensor_at: Callable[[Place], torch.Tensor]) -> Any:
    """The value that `dump` pickled. Raises whatever unpickling does."""
    return _Unpickler(io.BytesIO(data), tensor_at).load()


class _Bounded(io.BytesIO):
    """A buffer of limited size."""

    def write(self, data: Any) -> int:
        if self.tell() + memoryview(data).nbytes > _MOST_BYTES:
            raise HandoverError(f"its objects take more than {_MOST_BYTES >> 20} MiB")
        return super().write(data)


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, sets: Mapping[Place, Any]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.tensors: list[torch.Tensor] = []
        self._small = 0
        self._places = {id(value): place for place, value in sets.items()}
        self._kept: list[Any] = [*sets.values()]
        """Holds every object in `_places`, whose id another object could take otherwise."""

    def persistent_id(self, value: Any) -> tuple[Place, bool] | None:
        is_array = type(value) is np.ndarray
        if not (is_array or type(value) is torch.Tensor):
            return None
        if id(value) not in self._places:
            tensor = _plain_array(value) if is_array else _plain_tensor(value)
            if tensor is None or tensor.nbytes <= _SMALL:
                return None
            self._places[id(value)] = "", len(self.tensors)
            self._kept.append(value)
            self.tensors.append(tensor)
        return self._places[id(value)], is_array

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, types.ModuleType):
            return _module, (value.__name__,)
        if isinstance(value, types.CellType):
            return _empty_cell, ()
        if isinstance(value, torch.Tensor) and value.device.type != "cpu":
            raise HandoverError(f"it holds a tensor on {value.device}")
        if type(value) is torch.Tensor and (plain := _plain_tensor(value)) is not None:
            self._small += 1
            if self._small > _MOST_TENSORS:
                raise HandoverError(f"it holds more than {_MOST_TENSORS:,} tensors")
            data = plain.reshape(-1).view(torch.uint8).numpy().tobytes()
            return _small_tensor, (data, plain.dtype, tuple(plain.shape))
        if isinstance(value, np.memmap):
            raise HandoverError("it holds a memory-mapped array")
        if isinstance(value, types.FunctionType) and not is_importable(value):
            return _reduced_function(value)
        if isinstance(value, type) and "<locals>" in value.__qualname__:
            return _reduced_class(value)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, tensor_at: Callable[[Place], torch.Tensor]) -> None:
        super().__init__(file)
        self._tensor_at = tensor_at

    def persistent_load(self, value: Any) -> Any:
        place, is_array = value
        tensor = self._tensor_at(place)
        return tensor.numpy() if is_array else tensor


def is_importable(value: Any) -> bool:
    """True if this function or class is found by its name in its module."""
    found: Any = sys.modules.get(value.__module__ or "")
    for name in value.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is value


# --- Tensors --------------------------------------------------------------------------------------


def _plain_tensor(tensor: torch.Tensor) -> torch.Tensor | None:
    """The tensor if it can be stored as it is; None leaves it to torch's own pickling."""
    is_plain = (
        tensor.device.type == "cpu"
        and tensor.layout is torch.strided
        and tensor.is_contiguous()
        and not (tensor.requires_grad or tensor.is_conj() or tensor.is_neg())
        and not (tensor.is_quantized or vars(tensor))
    )
    return tensor.detach() if is_plain else None


def _plain_array(array: np.ndarray[Any, Any]) -> torch.Tensor | None:
    """A large array as a tensor; None leaves it to numpy's own pickling."""
    flags = array.flags
    if array.nbytes < _LARGE_ARRAY or not (flags.c_contiguous and flags.writeable):
        return None
    try:
        return torch.from_numpy(array)
    except TypeError:  # texts, objects, dates
        return None


def _small_tensor(data: bytes, dtype: torch.dtype, shape: tuple[int, ...]) -> torch.Tensor:
    if not data:
        return torch.empty(shape, dtype=dtype)
    return torch.frombuffer(bytearray(data), dtype=dtype).reshape(shape)


# --- Functions and classes ------------------------------------------------------------------------


def _reduced_function(function: types.FunctionType) -> tuple[Any, ...]:
    module = sys.modules.get(function.__module__ or "")
    if module is None or vars(module) is not function.__globals__:
        raise HandoverError(f"the function {function.__qualname__} is in no module")
    cells = function.__closure__ or ()
    state = {
        "cells": [(cell, cell.cell_contents) for cell in cells if _is_filled(cell)],
        "defaults": function.__defaults__,
        "kwdefaults": function.__kwdefaults__,
        "attributes": vars(function),
        "names": (function.__qualname__, function.__module__, function.__doc__),
    }
    code = marshal.dumps(function.__code__)
    made = _function, (code, module.__name__, function.__name__, cells)
    return *made, state, None, None, _set_function


def _is_filled(cell: types.CellType) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def _empty_cell() -> types.CellType:
    return types.CellType()


def _function(
    code: bytes, module: str, name: str, cells: tuple[types.CellType, ...]
) -> types.FunctionType:
    return types.FunctionType(
        marshal.loads(code), vars(sys.modules[module]), name, None, cells or None
    )


def _set_function(function: types.FunctionType, state: dict[str, Any]) -> None:
    for cell, contents in state["cells"]:
        cell.cell_contents = contents
    function.__defaults__ = state["defaults"]
    function.__kwdefaults__ = state["kwdefaults"]
    vars(function).update(state["attributes"])
    function.__qualname__, function.__module__, function.__doc__ = state["names"]


def _reduced_class(made: type) -> tuple[Any, ...]:
    if type(made) is not type or "__slots__" in vars(made):
        raise HandoverError(f"the class {made.__name__} is defined in a function")
    values = {name: each for name, each in vars(made).items() if name not in _NOT_OF_A_CLASS}
    names = made.__name__, made.__bases__, made.__module__
    return _class, names, values, None, None, _set_class


def _class(name: str, bases: tuple[type, ...], module: str) -> type:
    return types.new_class(name, bases, exec_body=lambda body: body.update(__module__=module))


def _set_class(made: type, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(made, name, value)


def _module(name: str) -> types.ModuleType:
    return importlib.import_module(name)
