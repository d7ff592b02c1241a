"""A training problem: data, model, loss and metrics. Importing this loads no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from engine.settings import DataReading, SettingsError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler
    from torch.utils.data import Dataset

    Data = (
        tuple[Tensor | NDArray[Any], ...]
        | Mapping[str, Tensor | NDArray[Any]]
        | Dataset[Any]
        | list[Any]
    )

SETS: Final = ("train", "validation")
"""The names of a problem's data sets."""

OWN: str = "own"
"""The optimizer setting that selects the problem's own optimiser."""

_NO_NUMBERS: Final = frozenset("OSUMm")
"""numpy's array kinds that torch cannot make a tensor from: objects, text, dates, durations."""


_MAKERS: Final = {
    "optimizer": "the parameters and the lr",
    "scheduler": "the optimizer and the planned updates",
    "collate": "a list of samples",
}


class ProblemError(SettingsError):
    """A problem that cannot be trained; the message says what is wrong with it."""

    def __init__(self, message: str, *, about: Callable[..., Any] | None = None) -> None:
        """`about` is the user's function that is wrong."""
        super().__init__(message)
        self.about = about


def own_loss(output: Any, target: Any = None) -> Any:
    """The loss that a model computed itself: `output.loss`, or the first part of a tuple.

    Raises ProblemError where there is none.
    """
    loss = output.get("loss") if isinstance(output, Mapping) else getattr(output, "loss", None)
    if loss is None and isinstance(output, tuple) and getattr(output[0], "shape", None) == ():
        loss = output[0]
    if loss is None:
        raise ProblemError(
            f"the model's output, {type(output).__name__}, holds no loss: give "
            "Problem(loss=…), or pass the model its labels"
        )
    return loss


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A training problem: everything except the settings under comparison.

    Raises ProblemError for data that cannot be trained on.
    """

    train: Data | Callable[[], Data]
    """A tuple of tensors or arrays with n samples along their first dimension, the target last, or
    a mapping of them; a map-style Dataset or a list of tuples (the target last) or of mappings; or
    a function that returns any of these, called in the process that loads the data.
    """
    model: Callable[[], nn.Module]
    """Makes a module with fresh weights, drawn from torch's global generator. Its arguments are
    the tensors of a batch except the last; from a mapping, the keywords that its `forward` names.
    """
    loss: Callable[[Any, Any], Tensor] = own_loss
    """`loss(output, target)` returns the mean over the batch, as a scalar. The target is the last
    tensor of the batch, or the whole batch as a dict if that is a mapping; torch's own losses get
    the logits of an output and the labels of a dict. Default: the loss that the model's output
    holds.
    """
    collate: Callable[[list[Any]], Any] | None = None
    """`collate(samples)` makes a batch of a list of samples, as a DataLoader's `collate_fn` does:
    pads them, for example. None: as torch does, images and lists of numbers included.
    """
    weight: Callable[[Any, Any], Any] | Literal["samples", "sum"] | None = None
    """`weight(output, target)` returns the number that the loss of a batch was divided by, such as
    its valid tokens. Or "samples", or "sum" for a loss that is not divided. None recognises
    torch's losses and Hugging Face models, and assumes a mean over samples for any other loss.
    """
    validation: Data | Callable[[], Data] | None = None
    """Held-out data, in the form of `train`."""
    metrics: Mapping[str, Callable[[Any, Any], Any]] = field(default_factory=dict)
    """Metrics by name: `metric(output, target)` returns a number, which is averaged over held-out
    samples, or a tuple of the number and its weight in that average.
    """
    optimizer: Callable[..., Optimizer] | None = None
    """`optimizer(params, lr)` makes the optimiser for the setting `optimizer="own"`. If the first
    argument is called `model`, it is the model; if `named_parameters`, pairs of name and parameter.
    Further arguments are set by name: `optimizer="own(weight_decay=0.1)"`.
    """
    scheduler: Callable[..., LRScheduler] | None = None
    """`scheduler(optimizer, updates)` makes one of torch's schedulers for the setting
    `schedule="own"`; it is stepped after each update. `updates`, the planned number of updates, may
    be left out.
    """
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Settings that fit this problem, by option name: `{"batch_sizes": (8, 32), "lr": 0.1}`."""
    notes: tuple[str, ...] = ()
    """Notes for the user about the data, one sentence each."""
    reading: DataReading | None = None
    """The reading of the data file; set by gdtui's own problems."""

    def __post_init__(self) -> None:
        self._check_functions()
        if "loss" in self.metrics:
            raise ProblemError("metrics: 'loss' is always measured; choose another name")
        for name, metric in self.metrics.items():
            if not callable(metric):
                raise ProblemError(f"metrics: {name!r} must be a function")
        check_data("train", self.train)
        if self.validation is not None:
            check_data("validation", self.validation)

    def _check_functions(self) -> None:
        for name in ("model", "loss"):
            if not callable(getattr(self, name)):
                raise ProblemError(
                    f"{name} must be a function, not {type(getattr(self, name)).__name__}"
                )
        if hasattr(self.model, "parameters") and not isinstance(self.model, type):
            made = type(self.model).__name__
            raise ProblemError(
                f"model must be a factory, e.g. `lambda: {made}(…)`, not an instance"
            )
        if self.weight not in (None, "samples", "sum") and not callable(self.weight):
            raise ProblemError(
                'weight must be a function of output and target, "samples" or "sum", '
                f"not {self.weight!r}"
            )
        for name, takes in _MAKERS.items():
            if not callable(getattr(self, name) or callable):
                raise ProblemError(f"{name} must be a function of {takes}")
        _check_metrics(self.metrics)
        for name in SETS:
            if (data := getattr(self, name)) is not None:
                check_data(name, data)

    @property
    def n(self) -> int:
        """Samples in the training set.

        Raises ProblemError if the set is made by a function that has not been called yet.
        """
        return count("train", self.train)


def _check_metrics(metrics: Mapping[str, Any]) -> None:
    if "loss" in metrics:
        raise ProblemError("metrics: 'loss' is always measured; choose another name")
    for name, metric in metrics.items():
        if not callable(metric):
            raise ProblemError(f"metrics: {name!r} must be a function")


def is_function(data: Any) -> bool:
    """True if a data set is a function or Dataset class that has yet to be called."""
    return isinstance(data, type) or (callable(data) and not hasattr(data, "__getitem__"))


def is_rows(data: Any) -> bool:
    """True if a data set is a list of samples, not of tensors."""
    return isinstance(data, list) and bool(data) and isinstance(data[0], tuple | Mapping)


def is_tensors(data: Any) -> bool:
    """True if a data set is a sequence of tensors, the target last."""
    return isinstance(data, tuple | list) and not is_rows(data)


def count(name: str, data: Any) -> int:
    """Samples in a data set."""
    if is_tensors(data):
        return len(data[0])
    if isinstance(data, Mapping):
        return len(next(iter(data.values())))
    if is_function(data):
        raise ProblemError(f"{name} is not loaded yet")
    return len(data)


def check_data(name: str, data: Any) -> None:
    """Raise ProblemError if the data have a form that cannot be trained on."""
    if is_tensors(data):
        if len(data) < 2:
            raise ProblemError(f"{name} must hold at least one tensor of inputs, then the target")
        _check_tensors(name, dict(enumerate(data)))
    elif isinstance(data, Mapping):
        _check_mapping(name, data)
    elif not is_function(data):
        if mistake := _mistake(data):
            raise ProblemError(f"{name} {mistake}")
        if len(data) == 0:
            raise ProblemError(f"{name}: no samples")


def _mistake(data: Any) -> str:
    """The reason why data are no Dataset, and what to give instead; "" if they are one."""
    kind = type(data).__name__
    if hasattr(data, "dataset") and hasattr(data, "batch_size"):
        collate = getattr(data, "collate_fn", None)
        is_own = getattr(collate, "__name__", "") not in ("default_collate", "default_convert")
        more = ", and its function with collate=loader.collate_fn" if collate and is_own else ""
        return (
            f"must not be a {kind}, since gdtui makes the batches: pass the {kind}'s dataset, "
            f"loader.dataset{more}"
        )
    if any(base.__name__ == "IterableDataset" for base in type(data).__mro__):
        return (
            f"must not be a {kind}, which is read in an order of its own: every variant needs the "
            "same shuffled samples, so give a map-style Dataset, with __len__ and __getitem__"
        )
    if not (hasattr(data, "__getitem__") and hasattr(data, "__len__")):
        return f"must be a tuple of tensors or arrays, or a Dataset with a length, not {kind}"
    if hasattr(data, "shape") and (hasattr(data, "dtype") or hasattr(data, "dtypes")):
        return f"must be a tuple of inputs and target, not a single {kind}"
    return ""


def _check_mapping(name: str, data: Mapping[Any, Any]) -> None:
    sets = [each for each in data.values() if hasattr(each, "__getitems__")]
    if sets or not data:
        there = ", ".join(map(repr, data)) or "nothing"
        raise ProblemError(f"{name} holds several data sets: {there}; give one of them")
    _check_tensors(name, data)


def _check_tensors(name: str, data: Mapping[Any, Any]) -> None:
    for key, tensor in data.items():
        place = repr(key)
        if not hasattr(tensor, "shape"):
            raise ProblemError(
                f"{name}[{place}] must be a tensor or an array, not {type(tensor).__name__}"
            )
        if getattr(getattr(tensor, "dtype", None), "kind", "") in _NO_NUMBERS:
            raise ProblemError(
                f"{name}[{place}] must be an array of numbers, not of {tensor.dtype}"
            )
        if len(tensor.shape) == 0:
            raise ProblemError(
                f"{name}[{place}] must have one entry per sample, not be a single number"
            )
    sizes = [len(tensor) for tensor in data.values()]
    if len(set(sizes)) > 1:
        raise ProblemError(
            f"{name}: tensors must have the same length, not "
            f"{', '.join(f'{size:,}' for size in sizes)}"
        )
    if sizes[0] == 0:
        raise ProblemError(f"{name}: no samples")
