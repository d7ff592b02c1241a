"""Text from outside reaches no terminal raw: it is decoded, printed and shown in few places."""

import ast
from collections.abc import Iterator

import pytest
from source_tree import SourceFile, source_files

DECODERS = {
    "engine/log/reading/decode.py": "the border: checks and cleans",
    "engine/checkpoint/file.py": "checks and cleans what checkpoints hold",
    "engine/worker/mailbox.py": "commands of our own process, which hold numbers",
    "engine/landscape/client.py": "cleans what it decodes",
    "engine/landscape/server.py": "requests of our own process, which hold numbers",
    "engine/session/variants/watching.py": "cleans what it decodes",
    "engine/problems/handover/description.py": "from our own loader, in a private directory",
    "engine/session/host/protocol.py": "checks and cleans what comes through a socket",
    "engine/worker/compiling/library.py": "from a worker of ours",
    "engine/training/compiled/cache/programs.py": "from our own build, in a private directory",
}
"""The only places that decode, and why they may."""

PRINTERS = {
    "gdtui/cli/streams.py": "cleans what it prints",
    "gdtui/cli/main.py": "nothing of ours may be imported yet",
    "gdtui/cli/problem_loading.py": "a spinner of our own",
    "gdtui/cli/commands/train/output.py": "a table in colour, of cleaned names",
    "gdtui/cli/commands/measure/sweep.py": "a table in colour, of cleaned names",
    "gdtui/cli/commands/learn/docs.py": "our own pages",
    "gdtui/export/csv_export.py": "opens stdout for rows of cleaned names",
}
"""The only places that write to stdout or stderr, and why they may."""


NOTIFIERS = ("gdtui/app.py", "gdtui/cli/commands/learn/docs_viewer.py")
"""The apps: theirs is the one `notify` that says what markup is."""


def decoding(file: SourceFile) -> Iterator[str]:
    """The lines where the file makes values of bytes."""
    for node in file.nodes:
        match node:
            case ast.Attribute(
                attr="Decoder" | "decode", value=ast.Attribute(attr="json" | "msgpack")
            ):
                yield f"{file}:{node.lineno}"
            case ast.Attribute(attr="load" | "loads", value=ast.Name(id="json")):
                yield f"{file}:{node.lineno}"
            case ast.Attribute(attr="convert", value=ast.Name(id="msgspec")):
                yield f"{file}:{node.lineno}"


def printing(file: SourceFile) -> Iterator[str]:
    """The lines where the file writes to a standard stream."""
    for node in file.nodes:
        match node:
            case ast.Call(func=ast.Name(id="print" | "input" | "Console")):
                if not (node.func.id == "input" and not node.args):  # type: ignore[attr-defined]
                    yield f"{file}:{node.lineno}"
            case ast.Attribute(attr="echo", value=ast.Name(id="click")):
                yield f"{file}:{node.lineno}"
            case ast.Attribute(
                attr="write" | "buffer" | "fileno",
                value=ast.Attribute(attr="stdout" | "stderr", value=ast.Name(id="sys")),
            ):
                yield f"{file}:{node.lineno}"


def with_markup(file: SourceFile) -> Iterator[str]:
    """The lines where the file lets Textual read markup in a text that is not written there."""
    for node in file.nodes:
        match node:
            case ast.Call(func=ast.Attribute(attr="notify"), keywords=keywords):
                if any(word.arg == "markup" for word in keywords) and str(file) not in NOTIFIERS:
                    yield f"{file}:{node.lineno}: notify"
            case ast.Assign(
                targets=[ast.Attribute(attr="border_title" | "border_subtitle")], value=value
            ):
                if not isinstance(value, ast.Constant | ast.Call) and not is_own_name(value):
                    yield f"{file}:{node.lineno}: border"
            case ast.Call(func=ast.Name(id="Static" | "Label"), args=[text, *_]):
                if not isinstance(text, ast.Constant | ast.Call | ast.Name):
                    yield f"{file}:{node.lineno}: {ast.unparse(node.func)}"
            case ast.Attribute(attr="from_markup"):
                yield f"{file}:{node.lineno}: from_markup"


def is_own_name(value: ast.expr) -> bool:
    """A constant of the class."""
    return isinstance(value, ast.Attribute) and value.attr.isupper()


def test_bytes_are_decoded_at_the_border_alone() -> None:
    found = [
        line
        for file in source_files("engine", "gdtui")
        if str(file) not in DECODERS
        for line in decoding(file)
    ]
    assert not found


def test_commands_print_through_what_cleans() -> None:
    found = [
        line
        for file in source_files("gdtui")
        if str(file) not in PRINTERS
        for line in printing(file)
    ]
    assert not found


def test_names_are_no_markup() -> None:
    assert [line for file in source_files("gdtui") for line in with_markup(file)] == []


@pytest.mark.parametrize(("rule", "allowed"), [(decoding, DECODERS), (printing, PRINTERS)])
def test_every_exception_is_needed(rule: object, allowed: dict[str, str]) -> None:
    files = {str(file): file for file in source_files("engine", "gdtui")}
    assert [name for name in allowed if not any(rule(files[name]))] == []  # type: ignore[operator]
