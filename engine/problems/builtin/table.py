"""The user's CSV or Parquet file: numbers imputed and scaled, text one-hot, a column predicted."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.problem import Problem
from engine.problems.parts.split import Indices
from engine.problems.tabular.fitting import make_problem, split
from engine.problems.tabular.table import Table, read_table
from engine.problems.tabular.target import read_target
from engine.settings import DataSettings

MOST_CATEGORIES: Final = 50
"""Most texts in a column that get separate inputs; the rarer texts share one input."""
_MOST_NAMED: Final = 8
"""Most columns that a note names."""


def make(seed: int, data: DataSettings) -> Problem:
    """The problem with the file's data.

    If the file cannot be used, raises a SettingsError that names column and line.
    """
    table = read_table(Path(data.path), data.target)
    target = read_target(table.target, table.location)
    train, held_out = split(target, data.validation_share, seed)
    inputs = _transformed(table, train, held_out)
    made = make_problem(
        inputs, target, (train, held_out), data.model or "linear", standardise=False
    )
    return replace(made, notes=_notes(table, Path(data.path).name))


def _notes(table: Table, name: str) -> tuple[str, ...]:
    """A note on the columns of the file that are left out of the features, if any."""
    if not table.left_out:
        return ()
    named = ", ".join(map(repr, table.left_out[:_MOST_NAMED]))
    rest = len(table.left_out) - _MOST_NAMED
    more = f" and {rest} more" if rest > 0 else ""
    columns = "column" if len(table.left_out) == 1 else "columns"
    return (f"{name}: {columns} {named}{more} left out: empty, or text that hardly repeats",)


def _transformed(
    table: Table, train: Indices, held_out: Indices
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Training and held-out inputs (n, features) as float32.

    Imputation, scaling and categories are fitted to the training part only.
    """
    compose, pipeline = import_module("sklearn.compose"), import_module("sklearn.pipeline")
    impute, preprocessing = import_module("sklearn.impute"), import_module("sklearn.preprocessing")
    numbers = pipeline.make_pipeline(
        impute.SimpleImputer(strategy="median", keep_empty_features=True),
        preprocessing.StandardScaler(),
    )
    texts = preprocessing.OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=MOST_CATEGORIES, sparse_output=False
    )
    columns = compose.ColumnTransformer(
        [
            ("numbers", numbers, list(table.numbers.columns)),
            ("texts", texts, list(table.texts.columns)),
        ]
    )
    frame = table.numbers.join(table.texts)
    fitted = columns.fit_transform(frame.iloc[train])
    rest = columns.transform(frame.iloc[held_out]) if len(held_out) else fitted[:0]
    return fitted.astype(np.float32), rest.astype(np.float32)
