"""Rules for tests: none reaches what is private to a module, none imports another test."""

import ast
import re
from collections.abc import Iterator

from source_tree import ROOT, SourceFile, source_files

PRIVATE = re.compile(r"_(?!_)\w+")
PRIVATE_PATH = re.compile(r"(engine|gdtui)(\.\w+)*\._(?!_)\w+")
TESTS = [file for file in source_files("tests") if "benchmarks" not in file.path.parts]


def own_names(file: SourceFile) -> set[str]:
    """Functions, classes and attributes that the file itself defines."""
    names = set()
    for node in file.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
    return names


def private_reaches(file: SourceFile) -> Iterator[str]:
    """The lines where the file uses a private name that it does not define."""
    own = own_names(file)
    for node in file.nodes:
        match node:
            case ast.Attribute(attr=name) if PRIVATE.fullmatch(name) and name not in own:
                yield f"{file}:{node.lineno}: .{name}"
            case ast.ImportFrom(names=aliases):
                yield from (
                    f"{file}:{node.lineno}: import {alias.name}"
                    for alias in aliases
                    if PRIVATE.fullmatch(alias.name)
                )
            case ast.Call(
                func=ast.Attribute(attr="setattr" | "delattr"),
                args=[_, ast.Constant(value=str(name)), *_],
            ):
                if PRIVATE.fullmatch(name):
                    yield f"{file}:{node.lineno}: {name}"
            case ast.Constant(value=str(text)) if PRIVATE_PATH.fullmatch(text):
                yield f"{file}:{node.lineno}: {text}"


def test_no_test_reaches_a_private_name() -> None:
    assert [reach for file in TESTS for reach in private_reaches(file)] == []


def test_no_test_imports_another() -> None:
    def is_test(module: str | None) -> bool:
        return (
            module is None or module.partition(".")[0] in ("tests", "conftest") or "test_" in module
        )

    imports = [
        f"{file}:{node.lineno}"
        for file in TESTS
        for node in file.nodes
        if isinstance(node, ast.ImportFrom) and (node.level or is_test(node.module))
    ]
    assert imports == []


def test_tests_stand_where_what_they_test_stands() -> None:
    """Below tests/engine and tests/gdtui every folder is one of the package's."""
    folders = {
        file.path.parent.relative_to(ROOT / "tests")
        for file in source_files("tests/engine", "tests/gdtui")
    }
    assert {str(folder) for folder in folders if not (ROOT / folder).is_dir()} == set()
