"""Files of a run are opened, made and removed in one place, which follows no link."""

import ast
from collections.abc import Iterator

import pytest
from source_tree import SourceFile, source_files

WAY = "engine/log/filesystem"
"""The place. Everything else says by name what it opens itself, and why it may."""

READERS_AND_WRITERS = (
    "engine/jobs",
    "engine/log",
    "engine/session",
    "engine/measure",
    "engine/sweep",
    "engine/landscape",
    "engine/worker",
    "gdtui/state",
    "gdtui/control",
    "gdtui/screens",
    "gdtui/export",
    "gdtui/terminal",
    "gdtui/api",
    "gdtui/app.py",
)
"""The code that is given a run's directory."""

ALLOWED = {
    "engine/jobs/child.py": "the kernel's word on a process, in /proc",
    "engine/session/host/address.py": "the directory of sockets, which lies in no run",
    "engine/session/host/resources/listener.py": "its own socket",
    "engine/session/host/resources/terminal.py": "a viewer's terminal, and the kernel's word on it",
    "engine/session/host/note.py": "its own note",
    "engine/session/host/processes.py": "the kernel's word on a process, in /proc",
    "gdtui/export/csv_export.py": "the file that the user named for the rows",
    "gdtui/export/csv_import/text.py": "the user's CSV",
    "gdtui/export/csv_import/write.py": "the directory that it makes beside its place",
}

CALLS = {
    *("open", "read_bytes", "read_text", "write_bytes", "write_text", "touch", "mkdir"),
    *("makedirs", "unlink", "remove", "rmdir", "rmtree", "rename", "truncate", "chmod"),
    *("symlink_to", "hardlink_to", "symlink", "copy", "copyfile", "move", "fromfile", "memmap"),
}
PATHS = {"os", "shutil", "io", "np", "numpy"}


def offences(file: SourceFile) -> Iterator[str]:
    """The lines where the file opens, makes or removes one by itself."""
    for node in file.nodes:
        match node:
            case ast.Call(func=ast.Name(id="open")):
                yield f"{file}:{node.lineno}: open"
            case ast.Call(func=ast.Attribute(attr=name, value=owner)) if name in CALLS:
                if not is_of_another_kind(name, owner):
                    yield f"{file}:{node.lineno}: {ast.unparse(owner)}.{name}"


def is_of_another_kind(name: str, owner: ast.expr) -> bool:
    """True for a method of that name that touches no path."""
    if name == "open":
        known = ("cls", "RunDirectory", "SweepDirectory", "ExperimentDirectory")
        known = (*known, "Path(os.devnull)")
        return ast.unparse(owner) in known
    if name in ("remove", "copy", "truncate", "move"):  # of lists, arrays, open files
        return not (isinstance(owner, ast.Name) and owner.id in PATHS)
    return False


def run_files() -> list[SourceFile]:
    return [
        file
        for file in source_files("engine", "gdtui")
        if str(file).startswith(READERS_AND_WRITERS) and not str(file).startswith(WAY)
    ]


def test_files_of_a_run_are_opened_in_one_place() -> None:
    found = [line for file in run_files() if str(file) not in ALLOWED for line in offences(file)]
    assert found == []


@pytest.mark.parametrize("name", ALLOWED)
def test_an_exception_is_needed(name: str) -> None:
    (file,) = [file for file in run_files() if str(file) == name]
    assert list(offences(file))


@pytest.mark.parametrize(
    "line",
    [
        "open(path)",
        "path.open('ab')",
        "os.open(path, 0)",
        "path.with_suffix('.weights').read_bytes()",
        "(run / name).unlink(missing_ok=True)",
        "shutil.rmtree(run.data)",
        "os.truncate(path, 0)",
        "np.fromfile(path)",
    ],
)
def test_what_opens_a_file_is_found(line: str, tmp_path: object) -> None:
    assert [*map(str, found_in(line))]


def found_in(line: str) -> list[str]:
    class _Line:
        nodes = tuple(ast.walk(ast.parse(line)))

        def __str__(self) -> str:
            return "line"

    return list(offences(_Line()))  # type: ignore[arg-type]


@pytest.mark.parametrize("line", ["RunDirectory.open(path)", "names.remove(x)", "file.truncate(0)"])
def test_what_opens_none_is_not(line: str) -> None:
    assert found_in(line) == []
