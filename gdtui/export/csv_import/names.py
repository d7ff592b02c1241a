"""The columns of logs of other programs under the names of ours: as asked for, or as is plain."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gdtui.export.csv_export import COLUMNS

OWN: Final = ("variant", "batch", "loss")
"""The columns by which a file is known as one of ours; nothing is guessed in it."""
_MOST_NAMED: Final = 8
_PLAIN: Final[Mapping[str, tuple[str, ...]]] = {
    "variant": ("run", "name", "run_name", "experiment"),
    "batch": (),
    "update": (
        *("step", "global_step", "trainer/global_step", "iter", "iteration", "iterations"),
        *("update_step", "num_updates", "round", "_step"),
    ),
    "epoch": ("epochs", "epoch_num", "trainer/epoch"),
    "lr": ("learning_rate", "learning rate", "lr/pg0", "lr-sgd", "lr-adam", "lr-adamw"),
    "seconds": ("time", "wall_time", "wall time", "timestamp", "elapsed", "_runtime", "_timestamp"),
    "samples": ("samples_seen", "num_samples"),
    "batch_size": ("batchsize", "bs"),
}
_METRICS: Final = ("key", "metric", "tag")
"""Columns that name what a column `value` holds."""
_EXTREMES: Final = ("__min", "__max")
"""Endings of W&B's columns beside that of a metric."""
_TRAIN: Final = ("train", "training", "tr", "")
_LOSS: Final = ("loss", "logloss", "mlogloss", "rmse", "mae", "error", "mse", "nll", "value")


class ColumnNameError(ValueError):
    """Names of columns that cannot be used; the message says which."""


@dataclass(frozen=True, slots=True)
class NamedColumns:
    """The places of our columns in a file, and the words to say about them."""

    places: Mapping[str, int]
    is_own: bool
    """The file has our own names and conventions."""
    ignored: tuple[str, ...]
    notes: tuple[str, ...]


def parse_columns(text: str) -> dict[str, str]:
    """Their names by ours, from OURS=THEIRS,…; ColumnNameError for names that are not ours."""
    found = {}
    for pair in next(csv.reader([text], skipinitialspace=True), []):
        ours, is_pair, theirs = pair.partition("=")
        ours = ours.strip().lower()
        if not is_pair or not theirs.strip():
            raise ColumnNameError(f"{pair!r}: expected OURS=THEIRS, such as loss=train_loss")
        if ours not in COLUMNS:
            raise ColumnNameError(f"unknown column {ours!r}: choose from {', '.join(COLUMNS)}")
        found[ours] = theirs.strip()
    return found


def name_columns(header: Sequence[str], asked: Mapping[str, str]) -> NamedColumns:
    """Our columns in a file with this header; ColumnNameError if no loss, or several, are plain."""
    names = [name.strip() for name in header]
    lower = [name.lower() for name in names]
    if twice := next((name for name in COLUMNS if lower.count(name) > 1), None):
        raise ColumnNameError(f"two columns {twice}")
    places = {ours: _place(ours, theirs, names) for ours, theirs in asked.items()}
    taken = set(places.values())
    for ours in COLUMNS:
        if ours not in places and ours in lower and lower.index(ours) not in taken:
            places[ours] = lower.index(ours)
    is_own = not asked and all(name in places for name in OWN)
    if not is_own:
        _guess(places, lower)
    if "loss" not in places:
        places["loss"] = _guessed_loss(names, lower, set(places.values()))
        metric = next((place for place, name in enumerate(lower) if name in _METRICS), None)
        if lower[places["loss"]] == "value" and metric is not None and "variant" not in asked:
            places["variant"] = metric  # the values of different metrics are no single curve
    read = {
        ours: names[place] for ours, place in places.items() if lower[place] != ours
    }  # fmt: skip
    ignored = tuple(name for place, name in enumerate(names) if place not in places.values())
    said = ", ".join(f"{ours} from {theirs!r}" for ours, theirs in read.items())
    return NamedColumns(places, is_own, ignored, (f"read {said}",) if said else ())


def _place(ours: str, theirs: str, names: Sequence[str]) -> int:
    for place, name in enumerate(names):
        if name == theirs or name.lower() == theirs.lower():
            return place
    raise ColumnNameError(f"--columns {ours}={theirs}: no column {theirs!r}; {_listed(names)}")


def _listed(names: Sequence[str]) -> str:
    more = ", …" if len(names) > _MOST_NAMED else ""
    return f"the first line names {', '.join(map(repr, names[:_MOST_NAMED]))}{more}"


def _guess(places: dict[str, int], lower: Sequence[str]) -> None:
    """Take the columns that other programs' names make plain."""
    for ours, theirs in _PLAIN.items():
        if ours in places:
            continue
        found = [name for name in theirs if name in lower]
        if found and (place := lower.index(found[0])) not in places.values():
            places[ours] = place


def _guessed_loss(names: Sequence[str], lower: Sequence[str], taken: set[int]) -> int:
    """The column of a training loss; several, or none, are a question."""
    found = [
        place for place, name in enumerate(lower) if place not in taken and _is_training_loss(name)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        named = " or ".join(repr(names[place]) for place in found[:_MOST_NAMED])
        raise ColumnNameError(
            f"the loss may be {named}: choose with --columns loss={names[found[0]]}"
        )
    if not any(lower):
        raise ColumnNameError(f"no column loss: the first line must name columns such as {OWN}")
    raise ColumnNameError(f"no column loss: choose one with --columns loss=NAME; {_listed(names)}")


def _is_training_loss(name: str) -> bool:
    """A word for a loss alone, or with a word for training before or after it."""
    if name.endswith(_EXTREMES):
        return False
    name = name.rpartition(" - ")[2]  # after the name of a run, in W&B's exports
    words = name.replace("/", "_").replace("-", "_").replace(" ", "_").replace(".", "_").split("_")
    words = [word for word in words if word not in ("step", "epoch", "batch")]
    rest = [word for word in words if word not in _LOSS]
    return any(word in _LOSS for word in words) and all(
        word in _TRAIN or word in ("box", "cls", "dfl", "obj", "seg") for word in rest
    )
