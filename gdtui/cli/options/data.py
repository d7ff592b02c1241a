"""The options that say what to train on: a problem by name, a problem's file, or the user's data.

Looks at names only; the loader checks if a file exists and fits.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from engine.problems.registry import LISTINGS, ProblemListing, find
from engine.problems.user_file import absolute, is_file
from engine.settings import DataSettings, SettingsError
from gdtui.cli.command import AnyParameter, Flag, Option, in_group
from gdtui.cli.options.completion import words
from gdtui.cli.value_types import choice, columns, number, separator

_DEFAULT: Final = "synthetic"
_OF_COLUMNS: Final = ("leave_out", "as_number", "as_text", "as_classes")
_OF_TEXT_FILES: Final = ("encoding", "separator", "decimal")
_FLAGS: Final = ("drop_missing_target", "no_header")
DATA_OPTIONS: Final = (
    *("target", "model", "validation"),
    *_OF_COLUMNS,
    *_OF_TEXT_FILES,
    *_FLAGS,
)
_OF_ARRAYS: Final = ("model", "validation", "as_number", "as_text", "as_classes")
"""The options that have a meaning for arrays, too."""
_MADE_OF_FILES: Final = ("arrays", "table")
"""The problem that a data file implies, by the file's suffix."""


def data_options() -> tuple[AnyParameter, ...]:
    """The options that say what to train on."""
    names = [listing.name for listing in LISTINGS]
    about_problem = f"{', '.join(names)}, or FILE.py[:FUNCTION] for your own"
    about_data = "your own table (.csv, .parquet), arrays (.npz), or text for char-lm"
    models = words(("linear", "mlp:", "cnn"))
    about_model = "for tables and arrays: linear, mlp:64,64, or cnn for images"
    return in_group(
        "problem and data",
        Option(
            "--problem",
            "NAME",
            about_problem,
            shown=_DEFAULT,
            shell_complete=words(names, files=True),
        ),
        Option("--data", "FILE", about_data, type=click.Path(readable=False)),
        Option("--target", "COLUMN", "the column of the table to predict"),
        Option(
            "--model",
            "MODEL",
            about_model,
            shown="linear",
            shell_complete=models,
        ),
        Option("--validation", "SHARE", "share of the data to hold out", type=number, shown="0.2"),
        *_reading_options(),
    )


def _reading_options() -> tuple[AnyParameter, ...]:
    """The options that say how a file is read, where its values leave a choice."""
    return (
        Option("--leave-out", "COLUMNS", "columns that are no inputs", type=columns),
        Option(
            "--as-number",
            "COLUMNS",
            "columns to read as numbers, their words as missing values; target for arrays",
            type=columns,
        ),
        Option("--as-text", "COLUMNS", "columns to read as words", type=columns),
        Option(
            "--as-classes",
            "COLUMNS",
            "columns whose values are classes, numbers too; target for arrays",
            type=columns,
        ),
        Flag("--drop-missing-target", "leave out the rows that have no target"),
        Option("--encoding", "NAME", "the encoding of a text file", shown="by its mark, or utf-8"),
        Option(
            "--separator",
            "SIGN",
            "what stands between fields: a character, tab or space",
            type=separator,
            shown="judged by the rows",
            shell_complete=words(("comma", "semicolon", "tab", "pipe", "space")),
        ),
        Option(
            "--decimal",
            ".|,",
            "the decimal sign of columns that allow both",
            type=choice((".", ",")),
        ),
        Flag("--no-header", "the first line is a row: columns are column1, column2 …"),
    )


def read_data(values: Mapping[str, Any]) -> tuple[str, DataSettings | None]:
    """The problem's name and the data it is made of, with absolute paths.

    Raises SettingsError if the two don't go together.
    """
    name, file = values["problem"], values["data"]
    if file is None:
        for option in DATA_OPTIONS:
            if values[option] is not None and values[option] is not False:
                raise SettingsError(f"{_typed(option)} requires --data FILE")
        problem = name or _DEFAULT
        if not is_file(problem) and find(problem).needs_file:
            raise SettingsError(f"problem {problem} needs a data file: use --data FILE")
        return absolute(problem), None
    path = file and str(Path(file).absolute())
    data = data_settings(path, values)
    listing = _by_suffix(data.path) if name is None else _taking_files(name)
    _check(listing, data)
    return listing.name, data


def data_settings(path: str, values: Mapping[str, Any]) -> DataSettings:
    """The settings of that file, by the values of the options."""
    given = {option: values[option] for option in DATA_OPTIONS if values[option] is not None}
    return DataSettings(path=path, **given)


def _typed(option: str) -> str:
    return f"--{option.replace('_', '-')}"


def must_load(problem: str, data: DataSettings | None) -> bool:
    """True if it must be loaded to learn how many samples there are and which settings fit."""
    return data is not None or is_file(problem) or find(problem).must_load


def _by_suffix(path: str) -> ProblemListing:
    suffix = Path(path).suffix.lower()
    for name in _MADE_OF_FILES:
        if suffix in find(name).suffixes:
            return find(name)
    known = ", ".join(suffix for name in _MADE_OF_FILES for suffix in find(name).suffixes)
    raise SettingsError(
        f"--data {path}: unknown file type; use one of {known}; text needs --problem char-lm"
    )


def _taking_files(problem: str) -> ProblemListing:
    if is_file(problem) or not find(problem).suffixes:
        raise SettingsError(f"problem {problem} has its own data; omit --data")
    return find(problem)


def _check(listing: ProblemListing, data: DataSettings) -> None:
    suffixes = listing.suffixes
    if suffixes != ("",) and Path(data.path).suffix.lower() not in suffixes:
        raise SettingsError(
            f"--data {data.path}: problem {listing.name} needs a {' or '.join(suffixes)} file"
        )
    if data.target is not None and listing.name != "table":
        raise SettingsError(f"--target names a column of a table; problem {listing.name} has none")
    is_table = listing.name == "table"
    for option in DATA_OPTIONS[3:]:
        if getattr(data, option) and not is_table and not _is_of(option, suffixes):
            raise SettingsError(f"{_typed(option)} is for tables; problem {listing.name} has none")
    if data.model is not None and suffixes == ("",):
        raise SettingsError(f"--model is for tables and arrays; problem {listing.name} has its own")


def _is_of(option: str, suffixes: tuple[str, ...]) -> bool:
    """True for an option that arrays have, too, or texts."""
    if option == "encoding":
        return suffixes == ("",)
    return option in _OF_ARRAYS and suffixes == (".npz",)
