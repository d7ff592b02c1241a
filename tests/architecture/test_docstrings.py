"""Docstrings open with a noun phrase or a verb, never a question word; summaries are one line."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
OPENINGS: Final = frozenset({"What", "Where", "Whether", "Which", "From"})


def offences(source: str) -> Iterator[tuple[int, str]]:
    """Line and first line of text of each docstring, also a field's, that opens like a question."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                if text.split()[:1] and text.split()[0].rstrip(",:;?") in OPENINGS:
                    yield node.lineno, text.strip().splitlines()[0]


@pytest.mark.parametrize("package", ["engine", "gdtui", "tests"])
def test_docstrings_open_with_a_noun_phrase_or_a_verb(package: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for line, text in offences(path.read_text("utf-8"))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("opening", sorted(OPENINGS))
def test_the_docstring_of_a_field_is_checked_too(opening: str) -> None:
    text = f"{opening} it was."
    assert list(offences(f'x: int\n"""{text}"""')) == [(2, text)]


DOCUMENTED: Final = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def broken_summaries(source: str) -> Iterator[tuple[str, str]]:
    """Name and first line of each docstring whose first paragraph takes more than one line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node)):
            first, *more = text.split("\n\n")[0].splitlines()
            if more:
                yield getattr(node, "name", "module"), first


@pytest.mark.parametrize("package", ["engine", "gdtui", "tests"])
def test_summaries_take_one_line(package: str) -> None:
    """The linter holds lines, and so summaries, to 100 characters."""
    found = [
        f"{path.relative_to(ROOT)}: {name}: {text}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for name, text in broken_summaries(path.read_text("utf-8"))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("quoted", ["One line.", "One line.\n\n    Two\n    more.\n    "])
def test_a_summary_of_one_line_is_fine(quoted: str) -> None:
    assert not list(broken_summaries(f'def f():\n    """{quoted}"""'))


def test_a_summary_of_two_lines_is_found() -> None:
    assert list(broken_summaries('"""One,\ntwo.\n"""')) == [("module", "One,")]
