"""Makes a batch of samples, as torch does, also of images and of a tokenizer's lists."""

import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import default_collate

from engine.problem import ProblemError, is_tensors

Collate = Callable[[list[Any]], Any]

_REMEDY: Final = (
    "give Problem(collate=…), a function that pads a list of samples into a batch, such as "
    "transformers' DataCollatorWithPadding, or one with torch.nn.utils.rnn.pad_sequence"
)
_FORM: Final = "a tuple with the target last, or a dict"


def batch_of(samples: Sequence[Any], collate: Collate | None) -> Any:
    """The batch of these samples: by `collate`, or by torch's default.

    Raises ProblemError for samples or batches in a form that cannot be trained on.
    """
    if collate is None:
        return _by_default(samples)
    batch = collate(list(samples))
    if not _has_parts(batch):
        raise ProblemError(
            f"collate must return {_FORM}, not {type(batch).__name__}", about=collate
        )
    return batch


def sample_of(data: Any, row: int) -> Any:
    """One sample of a data set in whatever form."""
    if isinstance(data, Mapping):
        return {name: torch.as_tensor(each)[row] for name, each in data.items()}
    if is_tensors(data):
        return tuple(torch.as_tensor(each)[row] for each in data)
    return data[row]


def _by_default(samples: Sequence[Any]) -> Any:
    if not _has_parts(samples[0]):
        raise ProblemError(
            f"a sample of the Dataset must be {_FORM}, not {type(samples[0]).__name__}"
        )
    try:
        return default_collate([_prepared(sample) for sample in samples])
    except (RuntimeError, TypeError, KeyError, ValueError) as error:
        reason = " ".join(str(error).split())
        if isinstance(error, ProblemError):
            raise
        raise ProblemError(f"samples make no batch: {reason}; {_REMEDY}") from error


def _has_parts(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, tuple | list) and len(value) >= 2)


def _prepared(value: Any) -> Any:
    """The value in a form that torch puts into batches."""
    if isinstance(value, Tensor | np.ndarray):
        return value
    if isinstance(value, Mapping):
        return {name: _named(name, each) for name, each in value.items()}
    if isinstance(value, list) and _are_numbers(value):
        return torch.as_tensor(value)  # torch would make a list of it, with one tensor a place
    if isinstance(value, tuple | list):
        parts = [_prepared(each) for each in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return _of_image(value) if _is_image(value) else value


def _named(name: Any, value: Any) -> Any:
    if value is None:
        raise ProblemError(f"{name!r} of a sample is None: leave it out, or fill it in")
    return _prepared(value)


def _are_numbers(values: list[Any]) -> bool:
    """True for a list, or nested lists of one length each, of numbers."""
    while values and isinstance(values[0], list):
        if len({len(each) for each in values if isinstance(each, list)}) != 1:
            return False
        values = [inner for each in values for inner in each]
    return bool(values) and all(isinstance(each, numbers.Number) for each in values)


def _is_image(value: Any) -> bool:
    """True for an image of Pillow, which need not be installed."""
    return hasattr(value, "__array_interface__") and hasattr(value, "getbands")


def _of_image(image: Any) -> Tensor:
    """Channels × height × width; bytes become 0 to 1, as by torchvision's ToTensor."""
    pixels = np.array(image)
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    tensor = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
    if tensor.dtype is torch.bool:
        return tensor.float()
    return tensor.float() / 255 if tensor.dtype is torch.uint8 else tensor
