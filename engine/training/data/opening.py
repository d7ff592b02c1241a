"""Opens the source of a data set: tensors on the device or the host, or a Dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor
from torch.utils.data import Dataset, TensorDataset

from engine.problem import Problem, ProblemError, check_data, count, is_function, is_tensors
from engine.settings import DataOn
from engine.training.data.collating import sample_of
from engine.training.data.loaded import LoadedSamples
from engine.training.data.sources import (
    GatheredTensors,
    LaidOutTensors,
    NamedTensors,
    SampleSource,
)
from engine.training.devices.errors import is_out_of_memory
from engine.training.devices.memory import free_memory, release_memory

if TYPE_CHECKING:
    from engine.training.data.collating import Collate

_LAID_OUT_BYTES: Final = 256 << 20
"""Largest data copied into each epoch's order on the CPU, which makes each batch a slice."""
_DEVICE_SHARE: Final = 0.25
"""Share of a GPU's free memory for the data: they are there twice, and the model needs space."""


def open_source(
    data: Any,
    device: torch.device,
    *,
    seed: int,
    data_on: DataOn,
    loader_workers: int,
    collate: Collate | None = None,
    sharing: int = 1,
    is_trial: bool = False,
) -> SampleSource:
    """The source for tensors or a Dataset, or a function that makes them.

    `sharing` is the number of variants that keep their data on this device. With `is_trial`, only
    a few samples will be read. Raises ProblemError for a Dataset with data_on=DEVICE.
    """
    if is_function(data):
        data = data()
        check_data("data", data)
    if type(data) is TensorDataset:
        data = data.tensors
    names = tuple(data) if isinstance(data, Mapping) else None
    has_tensors = names is not None or is_tensors(data)
    if not has_tensors or collate is not None:
        if data_on is DataOn.DEVICE:
            raise ProblemError(
                "data on device: a Dataset is read sample by sample; use tensors, or --data-on auto"
            )
        rows = Rows(data) if has_tensors else data
        return LoadedSamples(rows, device, seed, loader_workers, collate)
    values = data if names is None else data.values()
    tensors = tuple(torch.as_tensor(each) for each in values)
    if is_trial:
        source: SampleSource = GatheredTensors(tensors, device)
    else:
        source = _of_tensors(tensors, device, data_on, sharing)
    return source if names is None else NamedTensors(source, names)


def open_sets(
    problem: Problem, device: torch.device, **options: Any
) -> tuple[SampleSource, SampleSource | None]:
    """The sources of a problem's training data and, if it has them, held-out data.

    `options` are those of `open_source`.
    """

    def opened(data: Any) -> SampleSource:
        return open_source(data, device, collate=problem.collate, **options)

    held_out = problem.validation
    return opened(problem.train), None if held_out is None else opened(held_out)


class Rows(Dataset[Any]):
    """Tensors, sample by sample."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def __len__(self) -> int:
        return count("data", self._data)

    def __getitem__(self, index: int) -> Any:
        return sample_of(self._data, index)


def _of_tensors(
    tensors: tuple[Tensor, ...], device: torch.device, data_on: DataOn, sharing: int
) -> SampleSource:
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    if data_on is DataOn.DEVICE:
        return LaidOutTensors(_on_device(tensors, device))
    if data_on is DataOn.AUTO and size <= _room(device) / sharing:
        try:
            return LaidOutTensors(_on_device(tensors, device))
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        release_memory(device)
    return GatheredTensors(tensors, device)


def _on_device(tensors: tuple[Tensor, ...], device: torch.device) -> tuple[Tensor, ...]:
    return tuple(tensor.to(device) for tensor in tensors)


def _room(device: torch.device) -> float:
    """Bytes that the data may take on a device."""
    return free_memory(device) * _DEVICE_SHARE if device.type == "cuda" else _LAID_OUT_BYTES
