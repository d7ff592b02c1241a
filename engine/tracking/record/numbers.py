"""Numbers that a loop reports for its batches, and that may be on a device until they are read."""

from typing import Any, Protocol


class Numbers(Protocol):
    """Numbers of consecutive batches, which may still be on a device."""

    def floats(self) -> list[float]:
        """The numbers; waits for the device. Called in another thread than the loop's."""


class NumberBuffer(Protocol):
    """Collects a number for each batch without waiting for a device."""

    def add(self, value: Any) -> None:
        """Add a number: a tensor of one element, or anything that `float` accepts."""

    def take(self) -> Numbers:
        """The numbers since the last call."""


class HostNumbers:
    """Numbers in host memory."""

    def __init__(self, values: list[float]) -> None:
        self._values = values

    def floats(self) -> list[float]:
        return self._values


class HostBuffer:
    """Collects the numbers of a loop without torch."""

    def __init__(self) -> None:
        self._values: list[float] = []

    def add(self, value: Any) -> None:
        """Add a number. Raises TypeError or ValueError for anything that `float` refuses."""
        self._values.append(float(value))

    def take(self) -> HostNumbers:
        """The numbers since the last call."""
        values, self._values = self._values, []
        return HostNumbers(values)
