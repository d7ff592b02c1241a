"""Tensors handed over from a run's loader to its workers: in one copy, which all of them map."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError
from safetensors import safe_open as open_tensors
from safetensors.torch import save_file

from engine.log.filesystem.disk_errors import reason, remedy
from engine.problem import SETS, Problem, is_tensors
from engine.settings import SettingsError

_OBJECTS: Final = "objects"
"""The name of the file for tensors outside the data sets."""


def store_tensors(problem: Problem, place: Path) -> None:
    """Store the tensors of a problem's data sets, in one copy that all workers map.

    Datasets are not stored: each worker opens them itself.
    """
    for name in SETS:
        tensors = getattr(problem, name)
        if is_tensors(tensors):
            # Cloned, since a view would be stored with the whole tensor behind it.
            whole = [torch.as_tensor(each).detach().cpu().contiguous().clone() for each in tensors]
            _save(whole, _file(place, name))


def store_objects(tensors: Sequence[torch.Tensor], place: Path) -> None:
    """Store tensors that a problem holds outside its data sets; they must be contiguous."""
    if not tensors:
        return
    seen: set[int] = set()
    whole = []
    for tensor in tensors:
        storage = tensor.untyped_storage()
        is_shared = storage.nbytes() != tensor.nbytes or storage.data_ptr() in seen
        seen.add(storage.data_ptr())
        whole.append(tensor.clone() if is_shared else tensor)
    _save(whole, _file(place, _OBJECTS))


def stored_objects(place: Path) -> tuple[torch.Tensor, ...]:
    """The tensors that a problem holds outside its data sets, memory-mapped."""
    return stored_tensors(place, _OBJECTS) or ()


def stored_tensors(place: Path, name: str) -> tuple[torch.Tensor, ...] | None:
    """The tensors of this data set, memory-mapped; None if none were handed over."""
    file = _file(place, name)
    if not file.exists():
        return None
    with open_tensors(file, framework="pt") as opened:
        as_bytes = opened.metadata() or {}
        found = [opened.get_tensor(str(each)) for each in range(len(opened.keys()))]
    return tuple(
        tensor.view(getattr(torch, as_bytes[str(each)])) if str(each) in as_bytes else tensor
        for each, tensor in enumerate(found)
    )


def _file(place: Path, name: str) -> Path:
    return place / f"{name}.safetensors"


def _save(tensors: list[torch.Tensor], file: Path) -> None:
    """Write the tensors in order; a dtype unknown to the format is stored as bytes and a name."""
    as_bytes = {
        str(each): str(tensor.dtype).removeprefix("torch.")
        for each, tensor in enumerate(tensors)
        if tensor.dtype in _UNKNOWN
    }
    by_place = {
        str(each): tensor.view(torch.uint8) if str(each) in as_bytes else tensor
        for each, tensor in enumerate(tensors)
    }
    try:
        save_file(by_place, file, metadata=as_bytes or None)
    except (OSError, SafetensorError) as error:
        cause = _of_the_system(error)
        raise SettingsError(
            f"cannot store the data in {file.parent}: {reason(cause, file)}; "
            f"{remedy(cause, file)}, or choose another place with TMPDIR=DIR"
        ) from None


def _of_the_system(error: Exception) -> OSError:
    """The system error behind one from safetensors, which only has it as text."""
    if isinstance(error, OSError):
        return error
    number = re.search(r"\(os error (\d+)\)", str(error))
    return OSError(int(number[1]), os.strerror(int(number[1]))) if number else OSError(str(error))


_UNKNOWN: Final = (torch.complex128, torch.complex32)
