"""Keeps the results of an experiment's arms in its directory, so that no arm is trained twice.

Holds tensors and numbers, never objects of other kinds: a file cannot make the reader run code.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import torch
from torch import Tensor

from engine.jobs.messages import ReportProgress
from engine.log.filesystem.safe_open import read_whole, replace_whole
from engine.log.reading.decode import DocumentError, decode_packed

_MOST_BYTES: Final = 1 << 28
_DTYPES: Final = {
    str(dtype): dtype
    for dtype in (torch.float64, torch.float32, torch.int64, torch.int32, torch.bool)
}


class _StoredArm(msgspec.Struct, frozen=True, kw_only=True):
    """The content of an arm's file."""

    name: str
    share: Annotated[float, msgspec.Meta(ge=0, le=1)]
    """The share of the experiment's progress that the arm took."""
    result: Any


class ArmStore:
    """The results of earlier processes, and the progress that counts them as done."""

    def __init__(self, path: Path | None, progress: ReportProgress) -> None:
        """`path`: the experiment's directory; None keeps nothing."""
        self._path, self._progress = path, progress
        self._arms = 0
        self._done_earlier = self._reported = self._at_start = 0.0

    def report(self, fraction: float, activity: str) -> None:
        """Report the progress. `fraction`: of the arms that are trained now."""
        self._reported = fraction
        self._progress(min(fraction + self._done_earlier, 1.0), activity)

    def read(self, arm: str, kinds: Sequence[type]) -> Any:
        """The next arm's result, if an earlier process kept it; None if it has to be trained.

        `kinds`: the dataclasses that may be in it.
        """
        self._arms += 1
        self._at_start = self._reported
        if self._path is None:
            return None
        try:
            kept = decode_packed(read_whole(self._file, _MOST_BYTES), _StoredArm)
            if kept.name != arm:
                return None
            result = _unpacked(kept.result, {kind.__name__: kind for kind in kinds})
        except (OSError, DocumentError, ValueError, TypeError, RuntimeError, RecursionError):
            return None
        self._done_earlier += kept.share
        return result

    def keep(self, arm: str, result: Any) -> None:
        """Keep the result of the arm that was asked for last; raises OSError."""
        if self._path is not None:
            share = min(max(self._reported - self._at_start, 0.0), 1.0)
            stored = _StoredArm(name=arm, share=share, result=_packed(result))
            replace_whole(self._file, msgspec.msgpack.encode(stored))

    @property
    def _file(self) -> Path:
        assert self._path is not None
        return self._path / f"arm-{self._arms}.msgpack"


def _packed(value: Any) -> Any:
    """A result as lists, numbers, text and bytes."""
    if isinstance(value, Tensor):
        data = value.detach().cpu().contiguous().numpy().tobytes()
        return ["tensor", str(value.dtype), [*value.shape], data]
    if isinstance(value, list | tuple):
        return [type(value).__name__, [_packed(each) for each in value]]
    if is_dataclass(value):
        return [
            type(value).__name__,
            [_packed(getattr(value, each.name)) for each in fields(value)],
        ]
    return value


def _unpacked(value: Any, kinds: Mapping[str, type]) -> Any:
    """The result; ValueError, TypeError or RuntimeError if it is none."""
    if value is None or isinstance(value, int | float | str):
        return value
    kind, *rest = value
    if kind == "tensor":
        return _tensor(*rest)
    (parts,) = rest
    found = [_unpacked(each, kinds) for each in parts]
    if kind in ("list", "tuple"):
        return found if kind == "list" else tuple(found)
    if kind not in kinds:
        raise ValueError(f"a result of an unknown kind {kind!r}")
    return kinds[kind](*found)


def _tensor(dtype: str, shape: Sequence[int], data: bytes) -> Tensor:
    if dtype not in _DTYPES:
        raise ValueError(f"a tensor of the unknown type {dtype!r}")
    if not math.prod(shape):
        return torch.empty(tuple(shape), dtype=_DTYPES[dtype])
    return torch.frombuffer(bytearray(data), dtype=_DTYPES[dtype]).reshape(tuple(shape))
