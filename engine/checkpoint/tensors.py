"""Tensors in the format of safetensors, in parts that share their memory."""

from collections.abc import Mapping
from typing import Final

import msgspec
import torch
from torch import Tensor

_ALIGNMENT: Final = 8
_KINDS: Final = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint64": "U64",
    "uint32": "U32",
    "uint16": "U16",
    "uint8": "U8",
    "bool": "BOOL",
}


def kind_of(tensor: Tensor) -> str | None:
    """The name of a tensor's type in the format; None if it has none."""
    return _KINDS.get(str(tensor.dtype).removeprefix("torch."))


def parts_of(
    tensors: Mapping[str, Tensor], note: Mapping[str, str] | None = None
) -> list[memoryview]:
    """The bytes of a safetensors file, header first; `tensors` are contiguous and on the host.

    `note` becomes the file's metadata.
    """
    # Larger types first, so that each tensor is aligned.
    order = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    table: dict[str, object] = {"__metadata__": dict(note)} if note else {}
    end = 0
    for name in order:
        tensor = tensors[name]
        start, end = end, end + tensor.numel() * tensor.element_size()
        table[name] = {
            "dtype": kind_of(tensor),
            "shape": [*tensor.shape],
            "data_offsets": [start, end],
        }
    header = msgspec.json.encode(table)
    header += b" " * (-len(header) % _ALIGNMENT)
    parts = [memoryview(len(header).to_bytes(8, "little") + header)]
    parts += [_bytes(tensors[name]) for name in order if tensors[name].numel()]
    return parts


def _bytes(tensor: Tensor) -> memoryview:
    return tensor.reshape(-1).view(torch.uint8).numpy().data
