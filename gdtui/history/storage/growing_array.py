"""Arrays that grow at the end, as storage for a history."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_FREE: Final = 65_536
"""Number of rows up to which the capacity doubles.

Beyond it, the capacity grows by an eighth, to waste little memory.
"""


class GrowingArray:
    """Rows of one dtype, appended in blocks; amortised O(1) per row."""

    def __init__(self, dtype: str, *shape: int) -> None:
        self._data: NDArray[Any] = np.empty((64, *shape), dtype)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def values(self) -> NDArray[Any]:
        """The filled rows, as a view that is only valid until the next append."""
        return self._data[: self._size]

    @property
    def nbytes(self) -> int:
        """Memory allocated, including unused memory."""
        return self._data.nbytes

    def append(self, rows: NDArray[Any]) -> None:
        needed = self._size + len(rows)
        if needed > len(self._data):
            self._grow(needed)
        self._data[self._size : needed] = rows
        self._size = needed

    def replace(self, rows: NDArray[Any]) -> None:
        """Hold these rows instead."""
        self._size = 0
        self.append(rows)

    def _grow(self, needed: int) -> None:
        capacity = len(self._data)
        capacity += min(capacity, max(capacity // 8, _FREE))
        grown = np.empty((max(capacity, needed), *self._data.shape[1:]), self._data.dtype)
        grown[: self._size] = self.values
        self._data = grown
