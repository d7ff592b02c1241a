"""Docstrings open with a noun phrase or a verb, never a question word; summaries are one line."""

import ast
from collections.abc import Iterable, Iterator
from typing import Final

import pytest
from source_tree import source_files

OPENINGS: Final = frozenset({"What", "Where", "Whether", "Which", "From"})


def nodes_of(source: str) -> Iterable[ast.AST]:
    return ast.walk(ast.parse(source))


def offences(nodes: Iterable[ast.AST]) -> Iterator[tuple[int, str]]:
    """Line and first line of text of each docstring, also a field's, that opens like a question."""
    for node in nodes:
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                if text.split()[:1] and text.split()[0].rstrip(",:;?") in OPENINGS:
                    yield node.lineno, text.strip().splitlines()[0]


@pytest.mark.parametrize("package", ["engine", "gdtui", "tests"])
def test_docstrings_open_with_a_noun_phrase_or_a_verb(package: str) -> None:
    found = [
        f"{file}:{line}: {text}"
        for file in source_files(package)
        for line, text in offences(file.nodes)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("opening", sorted(OPENINGS))
def test_the_docstring_of_a_field_is_checked_too(opening: str) -> None:
    text = f"{opening} it was."
    assert list(offences(nodes_of(f'x: int\n"""{text}"""'))) == [(2, text)]


DOCUMENTED: Final = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def broken_summaries(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """Name and first line of each docstring whose first paragraph takes more than one line."""
    for node in nodes:
        if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node)):
            first, *more = text.split("\n\n")[0].splitlines()
            if more:
                yield getattr(node, "name", "module"), first


@pytest.mark.parametrize("package", ["engine", "gdtui", "tests"])
def test_summaries_take_one_line(package: str) -> None:
    """The linter holds lines, and so summaries, to 100 characters."""
    found = [
        f"{file}: {name}: {text}"
        for file in source_files(package)
        for name, text in broken_summaries(file.nodes)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("quoted", ["One line.", "One line.\n\n    Two\n    more.\n    "])
def test_a_summary_of_one_line_is_fine(quoted: str) -> None:
    assert not list(broken_summaries(nodes_of(f'def f():\n    """{quoted}"""')))


def test_a_summary_of_two_lines_is_found() -> None:
    assert list(broken_summaries(nodes_of('"""One,\ntwo.\n"""'))) == [("module", "One,")]
