"""The hand-over from a run's loader to its workers: tensors and a description, but no code.

Both are in a private directory made by the process that started the run; nothing is read from the
run directory. Whatever cannot be handed over, such as a user's Dataset, model or loss, each worker
makes itself from the file named on the command line.
"""

import os
import re
from pathlib import Path
from typing import Any, Final

import msgspec
import torch
from safetensors import SafetensorError
from safetensors import safe_open as open_tensors
from safetensors.torch import save_file

from engine.log.filesystem.disk_errors import reason, remedy
from engine.problem import SETS, Problem, is_tensors
from engine.problems.parts import losses
from engine.problems.parts.factories import AnyFactory
from engine.settings import SettingsError

_DESCRIPTION: Final = "problem.msgpack"
_Metric = str | losses.AbsoluteError


class ProblemDescription(msgspec.Struct, frozen=True, kw_only=True):
    """One of gdtui's own problems without its data, in the form handed to workers."""

    model: AnyFactory
    loss: str
    """A name in `losses.BY_NAME`, as in `metrics`."""
    metrics: dict[str, _Metric]

    def problem(self, train: Any, validation: Any) -> Problem:
        """The problem with these data."""
        return Problem(
            train=train,
            validation=validation,
            model=self.model,
            loss=losses.BY_NAME[self.loss],
            metrics={
                name: losses.BY_NAME[metric] if isinstance(metric, str) else metric
                for name, metric in self.metrics.items()
            },
        )


def describe(problem: Problem) -> ProblemDescription | None:
    """The description of a problem that consists of gdtui's own parts; None for any other."""
    metrics = {name: _named(metric) for name, metric in problem.metrics.items()}
    loss = _named(problem.loss)
    if not isinstance(problem.model, AnyFactory) or not isinstance(loss, str):
        return None
    known = {name: metric for name, metric in metrics.items() if metric is not None}
    if problem.optimizer is not None or problem.collate is not None or len(known) < len(metrics):
        return None
    return ProblemDescription(model=problem.model, loss=loss, metrics=known)


def _named(function: Any) -> _Metric | None:
    if isinstance(function, losses.AbsoluteError):
        return function
    return next((name for name, known in losses.BY_NAME.items() if known is function), None)


def store_description(problem: Problem, place: Path) -> None:
    """Store everything but the data, if possible; workers then need not run a user's file."""
    if (description := describe(problem)) is not None:
        (place / _DESCRIPTION).write_bytes(msgspec.msgpack.encode(description))


def stored_description(place: Path) -> ProblemDescription | None:
    """The description that was handed over; None if there is none."""
    try:
        data = (place / _DESCRIPTION).read_bytes()
    except FileNotFoundError:
        return None
    return msgspec.msgpack.decode(data, type=ProblemDescription)


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
