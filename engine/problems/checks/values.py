"""Finds values that no model can be trained on: NaN, infinity, labels that no output stands for.

A trial sees a few samples only; this goes through all of the tensors, in pieces.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.problem import SETS, Problem, ProblemError, is_tensors

_PIECE: Final = 1 << 24
"""Values that are looked at together."""
_CONTEXT: Final = 8
"""Samples that are given to the model together with one that has such a value."""
_CLASS_LOSSES: Final = (nn.CrossEntropyLoss, nn.NLLLoss)
_CLASS_FUNCTIONS: Final = (functional.cross_entropy, functional.nll_loss)
_LABELS: Final = (torch.int64, torch.uint8)
"""Types of the labels that these losses take."""
_IGNORED: Final = -100
"""torch's default `ignore_index`."""

Tensors = tuple[Tensor, ...] | dict[Any, Tensor]
"""The tensors of a data set, or of some of its samples."""
Forward = Callable[[Tensors], tuple[Any, Any]]
"""Gives some samples to the model; returns its output and their target."""


@dataclass(frozen=True, slots=True)
class BadValues:
    """The values of a tensor that are not finite."""

    count: int
    sample: int
    column: int
    """The first one's place among the values of its sample; both count from 0."""
    value: float

    @property
    def sentence(self) -> str:
        """How many, and where the first one is."""
        values = "1 value is" if self.count == 1 else f"{self.count:,} values are"
        place = f"{self.value:g} at sample {self.sample:,}, column {self.column:,}"
        return f"{values} not finite, the first is {place} (counted from 0)"


def check_values(problem: Problem, forward: Forward) -> tuple[str, ...]:
    """Notes on the values of a problem's tensors; ProblemError for those that make the loss NaN.

    Nothing is said of samples that the model or the loss does not take: the trial tells that.
    """
    if problem.collate is not None:
        return ()
    notes = [*_check_labels(problem, forward)]
    for name, where, tensors, tensor in _tensors(problem):
        if (bad := find_bad(tensor)) is None:
            continue
        if _is_finite(problem, forward, tensors, bad.sample):
            notes.append(f"{where}: {bad.sentence}; the loss of that sample is finite all the same")
            continue
        held_out = " of held-out samples" if name == "validation" else ""
        raise ProblemError(
            f"{where}: {bad.sentence}: the loss{held_out} is not finite with any of them; replace "
            "them, or leave out their samples"
        )
    return tuple(notes)


def find_bad(tensor: Tensor) -> BadValues | None:
    """The values of a tensor (n, …) that are not finite; None where all are."""
    if not (tensor.is_floating_point() or tensor.is_complex()) or not tensor.numel():
        return None
    width = max(tensor[0].numel(), 1)
    count, first, value = 0, None, 0.0
    rows = max(_PIECE // width, 1)
    for start in range(0, len(tensor), rows):
        piece = tensor[start : start + rows].reshape(-1, width)
        bad = ~torch.isfinite(piece)
        found = int(bad.sum())
        count += found
        if found and first is None:
            place = int(bad.flatten().nonzero()[0])
            first = start + place // width, place % width
            value = float(piece[place // width, place % width].abs())
            value = float(piece[place // width, place % width].real) if value == value else value
    return None if first is None else BadValues(count, *first, value)


def _tensors(problem: Problem) -> Iterator[tuple[str, str, Tensors, Tensor]]:
    """Each tensor with its set, its name there, and all tensors of the set."""
    for name in SETS:
        data = getattr(problem, name)
        data = getattr(data, "tensors", data)  # of a TensorDataset
        if isinstance(data, Mapping):
            named = {key: torch.as_tensor(each) for key, each in data.items()}
            for key, tensor in named.items():
                yield name, f"{name}[{key!r}]", named, tensor
        elif is_tensors(data):
            tensors = tuple(map(torch.as_tensor, data))
            for place, tensor in enumerate(tensors):
                yield name, f"{name}[{place}]", tensors, tensor


def _some(tensors: Tensors, start: int) -> Tensors:
    """A few samples, beginning with that one."""
    stop = start + _CONTEXT
    if isinstance(tensors, dict):
        return {key: each[start:stop] for key, each in tensors.items()}
    return tuple(each[start:stop] for each in tensors)


def _is_finite(problem: Problem, forward: Forward, tensors: Tensors, sample: int) -> bool:
    """True if the loss of some samples with this one is finite."""
    count = len(next(iter(tensors.values())) if isinstance(tensors, dict) else tensors[0])
    try:
        loss = problem.loss(*forward(_some(tensors, max(min(sample, count - _CONTEXT), 0))))
        return bool(torch.isfinite(loss).all())
    except Exception:  # the trial tells what is wrong
        return True


# --- Labels -------------------------------------------------------------------------------------


def _check_labels(problem: Problem, forward: Forward) -> Iterator[str]:
    """Notes on labels that are ignored; ProblemError for those that no output stands for."""
    ignored = _ignored_label(problem.loss)
    if ignored is None:
        return
    for name, where, tensors, target in _tensors(problem):
        if isinstance(tensors, dict) or target is not tensors[-1] or target.dtype not in _LABELS:
            continue
        if (classes := _outputs(forward, tensors)) is None:
            continue
        is_ignored = target == ignored
        wrong = ((target < 0) | (target >= classes)) & ~is_ignored
        if count := int(wrong.sum()):
            sample, label = int(wrong.nonzero()[0, 0]), int(target[wrong][0])
            raise ProblemError(_out_of_range(where, label, sample, count, classes, ignored))
        if count := int(is_ignored.sum()):
            labels = "1 label is" if count == 1 else f"{count:,} labels are"
            held_out = "held-out " if name == "validation" else ""
            yield f"{where}: {labels} {ignored}, which the loss ignores as no {held_out}target"


def _outputs(forward: Forward, tensors: Tensors) -> int | None:
    """The number of classes that the model's output has; None for an output of another kind."""
    try:
        output, target = forward(_some(tensors, 0))
    except Exception:  # the trial tells what is wrong
        return None
    is_of_classes = isinstance(output, Tensor) and output.ndim == target.ndim + 1
    return output.shape[1] if is_of_classes else None


def _out_of_range(
    where: str, label: int, sample: int, count: int, classes: int, ignored: int
) -> str:
    more = f" (and {count - 1:,} more)" if count > 1 else ""
    hint = (
        f"; the loss ignores {ignored} only: ignore_index={label} ignores them" if label < 0 else ""
    )
    return (
        f"{where}: label {label} of sample {sample:,}{more} is out of range: the model has "
        f"{classes} {'output' if classes == 1 else 'outputs'}, for labels 0 to {classes - 1}{hint}"
    )


def _ignored_label(loss: Any) -> int | None:
    """The label that a cross-entropy of torch's ignores; None for any other loss."""
    if isinstance(loss, _CLASS_LOSSES):
        return int(loss.ignore_index)
    kind, options = (loss.func, loss.keywords) if isinstance(loss, partial) else (loss, {})
    return int(options.get("ignore_index", _IGNORED)) if kind in _CLASS_FUNCTIONS else None
