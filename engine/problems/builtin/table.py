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
from engine.problems.tabular.report import report
from engine.problems.tabular.table import Table, read_table
from engine.problems.tabular.target import Target, read_target
from engine.settings import DataReading, DataSettings

MOST_CATEGORIES: Final = 50
"""Most texts in a column that get separate inputs; the rarer texts share one input."""


def make(seed: int, data: DataSettings) -> Problem:
    """The problem with the file's data.

    If the file cannot be used, raises a SettingsError that names column and line.
    """
    table = read_table(data)
    target = _target(table, data)
    train, held_out = split(target, data.validation_share, seed)
    inputs = _transformed(table, train, held_out)
    made = make_problem(
        inputs, target, (train, held_out), data.model or "linear", standardise=False
    )
    return replace(made, reading=_reading(table, target, len(held_out), Path(data.path).name))


def _target(table: Table, data: DataSettings) -> Target:
    name = table.target_name
    are_classes = None
    if name in data.as_number:
        are_classes = False
    elif name in (*data.as_classes, *data.as_text):
        are_classes = True
    return read_target(table.target, table.location, are_classes=are_classes, option=name)


def _reading(table: Table, target: Target, held_out: int, file: str) -> DataReading:
    times, texts = len(table.times), len(table.texts.columns)
    numbers = len(table.numbers.columns) - times
    return report(
        file,
        target,
        held_out,
        name=table.target_name,
        unit=table.target_unit,
        form=table.form,
        features={"numbers": numbers, "times": times, "texts": texts},
        left_out=table.left_out,
        rows_left_out=table.rows_left_out,
        remarks=table.remarks,
    )


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
        handle_unknown="infrequent_if_exist",
        max_categories=MOST_CATEGORIES + 1,  # scikit-learn counts the one that the rare ones share
        sparse_output=False,
    )
    columns = compose.ColumnTransformer(
        [
            ("numbers", numbers, list(table.numbers.columns)),
            ("texts", texts, list(table.texts.columns)),
        ]
    )
    frame = _as_floats(table.numbers).join(table.texts)
    fitted = columns.fit_transform(frame.iloc[train])
    rest = columns.transform(frame.iloc[held_out]) if len(held_out) else fitted[:0]
    return fitted.astype(np.float32), rest.astype(np.float32)


def _as_floats(numbers: Any) -> Any:
    """The columns as float64; of long whole numbers, the differences to the least are exact."""
    long = [name for name, kind in numbers.dtypes.items() if str(kind) == "Int64"]
    if not long:
        return numbers
    differences = {name: (numbers[name] - numbers[name].min()).astype("float64") for name in long}
    return numbers.assign(**differences)
