"""Long arrays against plain ones: what was put in comes out, from memory or from the file."""

import errno
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdtui.history.storage.long_array import LongArray


def filled(
    sizes: list[int], shape: tuple[int, ...], hot_bytes: int
) -> tuple[LongArray, np.ndarray]:
    array, start, parts = LongArray("f4", *shape, hot_bytes=hot_bytes), 0, []
    for size in sizes:
        width = int(np.prod(shape))
        rows = np.arange(start, start + size * width, dtype="f4").reshape(size, *shape)
        array.append(rows)
        parts.append(rows)
        start += size * width
    return array, np.concatenate(parts)


@given(
    st.lists(st.integers(1, 3000), min_size=1, max_size=8),
    st.sampled_from([(), (3,)]),
    st.integers(0, 2**32),
)
def test_rows_come_back_in_any_order_and_shape(
    sizes: list[int], shape: tuple[int, ...], seed: int
) -> None:
    array, every = filled(sizes, shape, hot_bytes=512)
    assert len(array) == len(every)
    rng = np.random.default_rng(seed)
    index = rng.integers(0, len(every), (5, 17))
    assert np.array_equal(array.take(index), every[index])
    start = int(rng.integers(0, len(every) + 1))
    assert np.array_equal(array.since(start), every[start:])
    assert array.take(np.zeros(0, np.int64)).shape == (0, *shape)


def test_memory_does_not_grow_with_the_rows() -> None:
    array, every = filled([4096] * 64, (), hot_bytes=1 << 14)
    assert array.nbytes <= 6 * (1 << 14)
    assert every.nbytes == 1 << 20


def test_without_a_place_for_the_file_all_stays_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    array, every = filled([4096] * 8, (), hot_bytes=1 << 10)
    assert np.array_equal(array.take(np.arange(len(every))), every)


def test_files_are_closed_with_their_arrays() -> None:
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208 - of this process
    for _ in range(20):
        filled([4096] * 2, (), hot_bytes=1 << 10)
    assert len(os.listdir("/dev/fd")) <= before + 1  # noqa: PTH208
