"""Judges whether the first line of a text file is names, or a row like those below it."""

import re
from typing import Any, Final

from engine.problems.tabular.reading.text_rows import TextRows

_NUMBER: Final = re.compile(r"[-+−]?([0-9]+([.,][0-9]*)*|[.,][0-9]+)([eE][-+]?[0-9]+)?")
_DATE: Final = re.compile(r"[0-9]{1,4}([-/.:])[0-9]{1,2}(\1[0-9]{1,4})?.*")
_ROWS: Final = 20


def check_header(rows: TextRows) -> tuple[str, ...]:
    """A remark where the first line looks like the rows; nothing where it looks like names.

    It does where a number or a date stands above each column of numbers or dates.
    """
    likenesses = [
        _is_figure(name) for name, column in zip(rows.names, rows.columns, strict=True)
        if name not in rows.unnamed and _holds_figures(column)
    ]  # fmt: skip
    if not likenesses or not all(likenesses):
        return ()
    return (
        "the first line looks like a row, and was taken for names: --no-header reads it as a row",
    )


def _holds_figures(column: Any) -> bool:
    if str(column.type) == "double":
        return True
    texts = [text for text in column.slice(0, _ROWS).to_pylist() if text]
    return bool(texts) and all(map(_is_figure, texts))


def _is_figure(text: str) -> bool:
    text = text.strip()
    return bool(_NUMBER.fullmatch(text) or _DATE.fullmatch(text))
