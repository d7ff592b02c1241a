"""Numbers of batches that stay on their device until a whole chunk of them is read."""

from typing import Any, Final

import torch
from torch import Tensor

from engine.tracking.record.numbers import HostNumbers


class DeviceNumbers:
    """Numbers of which some are on a device, where they may still be computed."""

    def __init__(self, values: list[float | Tensor]) -> None:
        """Stacks them on the device, in the order of the caller's work there."""
        self._values = values
        tensors = [each for each in values if isinstance(each, Tensor)]
        self._stacked: Final = torch.stack(tensors)
        self._event = None
        if self._stacked.is_cuda:
            self._event = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
            self._event.record(torch.cuda.current_stream(self._stacked.device))

    def floats(self) -> list[float]:
        """The numbers; waits for the device, without keeping a core busy."""
        if self._event is not None:
            self._event.synchronize()
        read = iter(self._stacked.tolist())
        return [next(read) if isinstance(each, Tensor) else each for each in self._values]


class TensorBuffer:
    """Numbers of batches; those on a device are copied there, since a loop may overwrite them."""

    def __init__(self) -> None:
        self._values: list[float | Tensor] = []
        self._is_on_device = False

    def add(self, value: Any) -> None:
        """Add a number; a tensor on a device is not read. RuntimeError unless it is one number."""
        if isinstance(value, Tensor):
            if value.is_cpu:
                self._values.append(value.item())
            else:
                copy = value.detach().to(torch.float32, copy=True).reshape(())
                self._values.append(copy)
                self._is_on_device = True
        else:
            self._values.append(float(value))

    def take(self) -> HostNumbers | DeviceNumbers:
        """The numbers since the last call."""
        values, self._values = self._values, []
        if self._is_on_device:
            self._is_on_device = False
            return DeviceNumbers(values)
        return HostNumbers(values)  # type: ignore[arg-type]  # no tensor is among them
