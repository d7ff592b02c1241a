"""House rules that no linter knows: sizes, one name for one thing, no import in a circle."""

import ast
import re
from collections import defaultdict

from source_tree import PACKAGES, ROOT, cycles, source_files

MOST_MODULES = 10
"""In one folder, its __init__.py among them."""
MOST_LINES = 300
MOST_FUNCTION_LINES = 40


def test_folders_hold_few_modules() -> None:
    counts: dict[str, int] = defaultdict(int)
    for file in source_files(*PACKAGES):
        counts[str(file.path.parent.relative_to(ROOT))] += 1
    assert {folder: count for folder, count in counts.items() if count > MOST_MODULES} == {}


def test_files_are_short() -> None:
    lengths = {str(file): len(file.text.splitlines()) for file in source_files(*PACKAGES)}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_functions_are_short() -> None:
    lengths = {
        f"{file}: {function.name}": (function.end_lineno or 0) - function.lineno + 1
        for file in source_files(*PACKAGES)
        for function in file.functions
    }
    assert {name: length for name, length in lengths.items() if length > MOST_FUNCTION_LINES} == {}


def test_no_two_public_classes_share_a_name() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for file in source_files(*PACKAGES):
        for node in file.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(file))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def test_no_import_goes_in_a_circle() -> None:
    files = source_files(*PACKAGES)
    known = {file.module for file in files}
    assert cycles({file.module: file.imports(known) for file in files}) == []


def test_a_circle_would_be_found() -> None:
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


def test_no_line_of_the_engine_reads_like_an_import_of_the_screen() -> None:
    offending = [
        str(f)
        for f in source_files("engine")
        if re.search(r"^\s*(from|import) gdtui\b", f.text, re.M)
    ]
    assert offending == []
