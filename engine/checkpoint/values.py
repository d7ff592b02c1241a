"""Plain values and tensors as data that msgpack can hold: tensors become references by name.

Decoding makes numbers, text, bytes, lists, tuples, dicts and tensors, and nothing else: no class is
looked up by name, and no code of a file is run.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, Final, Union

import msgspec
import numpy as np
import torch
from torch import Tensor

from engine.checkpoint.tensors import kind_of

_WORD: Final = range(-(2**63), 2**64)


class TensorRef(msgspec.Struct, frozen=True, array_like=True, tag="tensor"):
    """A tensor of the file."""

    name: str
    is_complex: bool = False


class LongNumber(msgspec.Struct, frozen=True, array_like=True, tag="long"):
    """A whole number of more than 64 bits, in hexadecimal; of a generator."""

    digits: str


class Items(msgspec.Struct, frozen=True, array_like=True, tag="items"):
    """A list or tuple."""

    items: tuple["Node", ...]
    is_tuple: bool = False


class Pairs(msgspec.Struct, frozen=True, array_like=True, tag="pairs"):
    """A dict."""

    pairs: tuple[tuple[str | int, "Node"], ...]


class Array(msgspec.Struct, frozen=True, array_like=True, tag="array"):
    """Bytes, or an array of numpy with one dimension; of a generator."""

    kind: str
    data: bytes


Node = Union[  # noqa: UP007 - evaluated by msgspec, with names that follow
    None, bool, int, float, str, TensorRef, LongNumber, Items, Pairs, Array
]
"""A value as the header of a checkpoint holds it."""

_ARRAYS: Final = {"u4": np.uint32, "u8": np.uint64}
_BYTES: Final = "bytes"
_MOST_DIGITS: Final = 1_000


class UnkeptError(TypeError):
    """A value that a checkpoint cannot hold; the message names its type."""


class Packer:
    """Turns values into nodes, and copies their tensors to the host."""

    def __init__(self) -> None:
        self.tensors: dict[str, Tensor] = {}
        """The copies by name, contiguous and on the host."""
        self._names: dict[tuple[Any, ...], str] = {}

    def pack(self, value: Any, path: str = "") -> Node:
        """The node of a value; UnkeptError if it holds anything but plain data and tensors."""
        if value is None or type(value) in (bool, float, str):
            return value  # type: ignore[no-any-return]
        if type(value) is bytes:
            return Array(_BYTES, value)
        if type(value) is int:
            return value if value in _WORD else LongNumber(f"{value:x}")
        if isinstance(value, Tensor):
            return self._tensor(value, path)
        if isinstance(value, np.generic):
            return self.pack(value.item(), path)
        if isinstance(value, np.ndarray):
            return _array(value)
        if type(value) in (list, tuple):
            items = tuple(self.pack(each, f"{path}.{k}") for k, each in enumerate(value))
            return Items(items, type(value) is tuple)
        if type(value) in (dict, OrderedDict):
            return Pairs(tuple(self._pairs(value, path)))
        raise UnkeptError(f"{path.lstrip('.')} is a {type(value).__name__}")

    def _pairs(self, value: Mapping[Any, Any], path: str) -> Iterator[tuple[str | int, Node]]:
        for key, each in value.items():
            if type(key) not in (str, int):
                raise UnkeptError(f"{path.lstrip('.')} has a key of type {type(key).__name__}")
            yield key, self.pack(each, f"{path}.{key}")

    def _tensor(self, tensor: Tensor, path: str) -> TensorRef:
        tensor = tensor.detach()
        if tensor.layout is not torch.strided or not (tensor.is_complex() or kind_of(tensor)):
            raise UnkeptError(f"{path.lstrip('.')} is a tensor of {tensor.dtype}")
        key = (tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype, tensor.device)
        name = self._names.get(key) if tensor.numel() else None
        if name is None:
            name = path.lstrip(".")
            if name in self.tensors:  # "a.b" of a dict may be a path as well
                name += f"#{len(self.tensors)}"
            self._names[key] = name
            plain = torch.view_as_real(tensor) if tensor.is_complex() else tensor
            self.tensors[name] = plain.to("cpu", copy=True).contiguous()
        return TensorRef(name, tensor.is_complex())


def unpack(node: Node, tensors: Mapping[str, Tensor]) -> Any:
    """The value of a node; ValueError if it cannot be right."""
    match node:
        case TensorRef():
            if node.name not in tensors:
                raise ValueError(f"it holds no tensor {node.name!r}")
            tensor = tensors[node.name]
            return torch.view_as_complex(tensor) if node.is_complex else tensor
        case LongNumber():
            if len(node.digits) > _MOST_DIGITS:
                raise ValueError("a number is too long")
            return int(node.digits, 16)
        case Items():
            items = [unpack(each, tensors) for each in node.items]
            return tuple(items) if node.is_tuple else items
        case Pairs():
            return {key: unpack(each, tensors) for key, each in node.pairs}
        case Array(kind="bytes"):
            return node.data
        case Array():
            if node.kind not in _ARRAYS:
                raise ValueError("an array is of an unknown kind")
            return np.frombuffer(node.data, _ARRAYS[node.kind]).copy()
        case _:
            return node


def _array(value: np.ndarray[Any, Any]) -> Array:
    kind = value.dtype.str[1:]
    if value.ndim != 1 or kind not in _ARRAYS:
        raise UnkeptError(f"an array of {value.dtype}")
    return Array(kind, value.astype(f"<{kind}").tobytes())
