"""The globals of a user's modules: which of them a problem needs, and which changed meanwhile.

A function such as `problem()` may fill a vocabulary or a cache that the model uses later. Whoever
leaves the function out has to bring these globals along, or must not leave it out.
"""

import functools
import hashlib
import io
import os
import pickle
import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from engine.problems.handover.pickling import HandoverError

_MOST_BYTES: Final = 256 << 20
"""Bytes of one global that are compared."""
_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})
_CACHE: Final = type(functools.cache(len))
_SIMPLE: Final = (type(None), bool, int, float, complex, str, bytes)

Name = tuple[str, str]
"""A global: its module and its name there."""


def user_modules(folder: Path) -> dict[str, types.ModuleType]:
    """The modules from files in this directory, packages that are installed in it excepted."""
    return {
        name: module
        for name, module in [*sys.modules.items()]
        if (file := getattr(module, "__file__", None)) is not None and is_users(file, folder)
    }


def is_users(file: str, folder: Path) -> bool:
    """True if this file of a module is the user's own."""
    return file.startswith(f"{folder}{os.sep}") and not _INSTALLED & {*Path(file).parts}


def state_of(modules: Mapping[str, types.ModuleType]) -> dict[Name, object]:
    """A fingerprint of every global, to be compared in the same process."""
    return {
        (module, name): _fingerprint(value)
        for module, found in modules.items()
        for name, value in [*vars(found).items()]
        if not _is_special(name)
    }


def _is_special(name: str) -> bool:
    """True for a name of Python's, such as the __slotnames__ that pickling leaves in a class."""
    return name.startswith("__") and name.endswith("__")


def changed(
    before: Mapping[Name, object], modules: Mapping[str, types.ModuleType], roots: Iterable[Any]
) -> dict[Name, Any]:
    """The globals that functions in `roots` may use and that differ now, with their values.

    `before` is `state_of` the modules at an earlier time. Raises HandoverError for those that
    cannot be brought along.
    """
    needed = _names_used(roots, modules)
    old = {module for module, _ in before}
    found: dict[Name, Any] = {}
    for module, names in modules.items():
        for name in sorted(needed & {*vars(names)}):
            value = vars(names)[name]
            if (module, name) in before and _fingerprint(value) == before[module, name]:
                continue
            if isinstance(value, types.ModuleType) or (
                module not in old and isinstance(value, type | types.FunctionType)
            ):
                continue
            if module not in old:
                raise HandoverError(f"it imports {module}, whose {name} is needed later")
            if isinstance(value, type | types.FunctionType | _CACHE):
                raise HandoverError(f"it changes {name}, which is needed later")
            found[module, name] = value
    return found


def _names_used(roots: Iterable[Any], modules: Mapping[str, types.ModuleType]) -> set[str]:
    """All names of these values, those that their code mentions, and of the globals they name."""
    names: set[str] = set()
    todo, seen = [*roots], dict[int, Any]()
    while todo:
        value = todo.pop()
        if id(value) in seen:
            continue
        seen[id(value)] = value  # keeps it, so that no other object takes its id
        if isinstance(value, type | types.FunctionType):
            names.add(value.__name__)  # that of a method does no harm
        if not isinstance(value, types.CodeType):
            todo += _parts_of(value, modules)
            continue
        todo += [each for each in value.co_consts if isinstance(each, types.CodeType)]
        for name in {*value.co_names} - names:
            names.add(name)
            todo += [vars(module)[name] for module in modules.values() if name in vars(module)]
    return names


def _parts_of(value: Any, modules: Mapping[str, types.ModuleType]) -> Iterator[Any]:
    """The values in which there may be code, if this one is or holds a function or user's class."""
    if isinstance(value, types.FunctionType):
        yield value.__code__
        yield from map(_contents, value.__closure__ or ())
        yield from value.__defaults__ or ()
    elif isinstance(value, functools.partial):
        yield from (value.func, *value.args, *value.keywords.values())
    elif isinstance(value, staticmethod | classmethod | types.MethodType):
        yield value.__func__
    elif isinstance(value, property):
        yield from filter(None, (value.fget, value.fset))
    elif isinstance(value, type):
        if value.__module__ in modules:
            yield from (*vars(value).values(), *value.__bases__)
    elif isinstance(value, torch.nn.Module):
        yield from (type(value), *value.children(), *vars(value).values())
    elif isinstance(value, list | tuple):
        yield from (each for each in value if callable(each))
    elif type(value).__module__ in modules or hasattr(value, "__wrapped__"):
        yield from (type(value), *getattr(value, "__dict__", {}).values())


def _contents(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


# --- Fingerprints ---------------------------------------------------------------------------------


def _fingerprint(value: Any) -> object:
    """A value that equals another fingerprint only if the object is unchanged, as far as known."""
    if isinstance(value, _SIMPLE):
        return type(value), value if value == value else "NaN"
    if isinstance(value, type):
        attributes = (
            (name, _fingerprint(each))
            for name, each in vars(value).items()
            if not (_is_special(name) or callable(each))
        )
        return id(value), tuple(attributes)
    if isinstance(value, types.FunctionType):
        return id(value), _fingerprint((vars(value), value.__defaults__))
    if isinstance(value, types.ModuleType):
        return id(value)
    if isinstance(value, _CACHE):
        return id(value), value.cache_info().currsize
    digest = _Digest()
    try:
        _Fingerprints(digest).dump(value)
    except Exception:  # what cannot be pickled is compared by identity
        return id(value)
    return type(value), digest.size, digest.value


class _Digest(io.RawIOBase):
    """Takes the bytes of a pickle, and keeps none."""

    def __init__(self) -> None:
        self._hash = hashlib.blake2b()
        self.size = 0

    @property
    def value(self) -> bytes:
        return self._hash.digest()

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self.size += size
        if self.size <= _MOST_BYTES:
            self._hash.update(data)
        return size


class _Fingerprints(pickle.Pickler):
    """Pickles to compare: tensors by identity and version, functions and classes by identity."""

    def persistent_id(self, value: Any) -> object:
        if isinstance(value, torch.Tensor):
            return id(value), value._version
        if isinstance(value, np.ndarray) and value.dtype != object:
            if value.nbytes > _MOST_BYTES:
                return id(value)
            return id(value), hashlib.blake2b(np.ascontiguousarray(value).data).hexdigest()
        if isinstance(value, type | types.ModuleType | types.FunctionType):
            return id(value)
        return None
