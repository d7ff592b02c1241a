"""A table of any columns, written and read: the same table, or an error that says where."""

import csv
import io
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.problems.tabular.table import Table, read_table
from engine.settings import DataSettings, SettingsError

Cell = tuple[str, float | str]
"""A cell as it is written, and its value."""


def grouped(value: float, group: str, point: str) -> str:
    return f"{value:,.2f}".replace(",", "G").replace(".", point).replace("G", group)


NOTATIONS: dict[str, Callable[[float], str]] = {
    "plain": repr,
    "two decimals": lambda value: f"{value:.2f}",
    "decimal comma": lambda value: f"{value:.2f}".replace(".", ","),
    "comma groups": lambda value: grouped(value, ",", "."),
    "point groups": lambda value: grouped(value, ".", ","),
    "blank groups": lambda value: grouped(value, "\u202f", ","),
    "apostrophe groups": lambda value: grouped(value, "’", "."),
    "currency": lambda value: f"{'-' * (value < 0)}${abs(value):,.2f}",
    "percent": lambda value: f"{value:.2f} %",
    "unit": lambda value: f"{value:.2f} km/h",
    "typographic minus": lambda value: f"{value:.2f}".replace("-", "−"),
    "accounting": lambda value: f"({-value:,.2f})" if value < 0 else f"{value:,.2f}",
    "scientific": lambda value: f"{value:.12e}",
    "whole": lambda value: str(round(value)),
    "whole groups": lambda value: f"{round(value):,}",
}
amounts = st.integers(-(10**9), 10**9).map(lambda cents: cents / 100)
markers = st.sampled_from(["", "?", "-", "NA", "n/a", " "])
words = st.text(st.sampled_from("abZé€ ,;\t|'\"\n."), max_size=6).map("w{}".format)
days = st.dates().map(lambda day: day.replace(year=1900 + day.year % 150))


@st.composite
def columns(draw: st.DrawFn, rows: int) -> list[Cell]:
    kind = draw(st.sampled_from([*NOTATIONS, "dates", "words", "words"]))
    if kind == "words":
        pool = draw(st.lists(words, min_size=1, max_size=4))
        return [(word, word) for word in draw(st.lists(st.sampled_from(pool), min_size=rows,
                                                       max_size=rows))]  # fmt: skip
    cells: list[Cell] = []
    for _ in range(rows):
        if draw(st.integers(0, 9)) == 0:
            cells.append((draw(markers), math.nan))
        elif kind == "dates":
            day = draw(days)
            seconds = 86_400.0 * (day.toordinal() - 719_163)
            cells.append((day.isoformat(), seconds))
        else:
            value = draw(amounts)
            value = float(round(value)) if "whole" in kind else value
            cells.append((NOTATIONS[kind](value), value))
    return cells


def written(rows: list[list[str]], separator: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def is_same(table: Table, name: str, cells: list[Cell]) -> bool:
    values = [value for _, value in cells]
    if any(isinstance(value, str) for value in values):
        return table.texts[name].tolist() == values
    if all(math.isnan(value) for value in values if isinstance(value, float)):
        return True  # nothing but markers: empty, or words
    return np.allclose(table.numbers[name], values, rtol=1e-12, atol=0, equal_nan=True)


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_read_is_what_was_written_or_a_question(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file: Path = tmp_path_factory.mktemp("t") / "t.csv"
    count = data.draw(st.integers(3, 12))
    names = ["one", "two", 'the "third",\nin full'][: data.draw(st.integers(1, 3))]
    table = {name: data.draw(columns(count)) for name in names}
    y = [("ab"[k % 2], "ab"[k % 2]) for k in range(count)]
    separator = data.draw(st.sampled_from(",;\t|"))
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    cells = [*table.values(), y]
    rows = [[column[k][0] for column in cells] for k in range(count)]
    file.write_bytes(written([[*names, "y"], *rows], separator).encode(encoding))
    try:
        found = read_table(DataSettings(path=str(file), target="y"))
    except SettingsError as error:
        said = str(error)
        assert "t.csv" in said
        assert "--decimal" in said or "--separator" in said or "choose" in said or "column" in said
        return
    assert found.target.tolist() == [value for _, value in y]
    for name, column in table.items():
        assert is_same(found, name, column) or name in found.left_out
