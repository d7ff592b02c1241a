"""Strategies for whole run directories from somebody else, and their place on the disk."""

import json
import os
import pickle
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hostile_logs import Document, log_bytes, session_log, sound_log, variant_settings
from hostile_values import HOSTILE_TEXTS, counts, edge_floats, edge_integers, names, texts
from hypothesis import strategies as st

NO_FILES = (
    *("directory", "FIFO", "socket", "link to itself", "loop of links", "link to nothing"),
    *(
        "link to /dev/zero",
        "link outside",
        "hard link outside",
        "link to a folder outside",
        "empty",
    ),
)
DIRECTORY_NAMES = (
    "odd",
    "\x1b]0;owned\x07",
    "[red]x[bold]",
    "new\nline",
    "-rf",
    "user\u202egpj",
    "--prune",
    " ",
    os.fsdecode(b"\xff\xfe"),
    "x" * 255,
)


class Evil:
    """Unpickled, it runs: the canary of code."""

    def __init__(self, canary: Path) -> None:
        self._canary = str(canary)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self._canary,)


@dataclass(frozen=True)
class HostileRun:
    """The content of a directory: bytes of files, or a word for a thing that is no file."""

    name: str
    files: dict[str, bytes | str]


columns = st.lists(texts, max_size=2)
data_settings = st.fixed_dictionaries(
    {"path": names},
    optional={
        "target": texts,
        "leave_out": columns,
        "as_number": columns,
        "as_classes": columns,
        "encoding": texts,
        "separator": texts,
        "decimal": st.sampled_from([".", ","]),
        "no_header": st.booleans(),
    },
)
readings = st.fixed_dictionaries(
    {"file": texts, "target": texts, "kind": texts, "loss": texts, "rows": counts},
    optional={
        "form": texts,
        "unit": texts,
        "class_count": counts,
        "classes": st.lists(st.fixed_dictionaries({"name": texts, "samples": counts}), max_size=3),
        "numbers": counts,
        "left_out_count": counts,
        "left_out": st.lists(st.fixed_dictionaries({"column": texts, "reason": texts}), max_size=3),
        "held_out": counts,
        "share": st.floats(0, 1),
        "remarks": columns,
    },
)


@st.composite
def run_json(
    draw: st.DrawFn, variants: list[str], logs: list[str], *, is_wrong: bool
) -> bytes | str:
    """A run.json, with something wrong in it if `is_wrong`."""
    settings = {
        "variants": [{"name": name, "settings": draw(variant_settings())} for name in variants],
        "problem": draw(st.one_of(texts, st.sampled_from(["synthetic", "evil.py:problem"]))),
        "epochs": draw(st.sampled_from([1, 20, 10**12])),
        "device": draw(texts),
        "notes": draw(st.lists(texts, max_size=2)),
        "data": draw(st.one_of(st.none(), data_settings)),
        "reading": draw(st.one_of(st.none(), readings)),
    }
    document: Document = {
        "format": 1,
        "version": draw(st.one_of(st.just("0.1"), texts)),
        "created": draw(st.sampled_from([0.0, 1.7e9, 2.5e11])),
        "logs": logs,
        "settings": settings,
    }
    wrongs = st.sampled_from([*["field"] * 5, "bytes", "nested", "cut"])
    kind = draw(wrongs) if is_wrong else "sound"
    if kind == "field":
        parts = [document, settings, settings["variants"][0], settings["data"], settings["reading"]]
        where = draw(st.sampled_from([part for part in parts if part]))
        wrong = st.one_of(json_values, st.sampled_from([["."], ["", "b"], ["a\0", "../b.gdlog"]]))
        where[draw(st.sampled_from(sorted(where)))] = draw(wrong)
    data = json.dumps(document).encode()
    if kind == "bytes":
        return draw(st.binary(max_size=200))
    if kind == "nested":
        return data[:-1] + b', "x": ' + b"[" * 200_000
    return data[: draw(st.integers(0, len(data)))] if kind == "cut" else data


json_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), edge_integers, edge_floats, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=5,
)


HOST_NOTE = "0123456789abcdef.host"


@st.composite
def host_note(draw: st.DrawFn) -> bytes:
    """The note of a host, with any values in it."""
    document: Document = {
        "format": 1,
        "version": draw(texts),
        "host": draw(texts),
        "boot": draw(texts),
        "pid": draw(edge_integers),
        "socket": draw(texts),
        "began": draw(edge_floats),
        "variants": draw(st.lists(texts, max_size=2)),
    }
    document[draw(st.sampled_from(sorted(document)))] = draw(json_values)
    return json.dumps(document).encode()


AIMS = ("sound", "sound", "logs", "logs", "session", "run.json", "files", "all")


@st.composite
def hostile_runs(draw: st.DrawFn) -> HostileRun:
    """Any directory that may lie among one's runs; in most, only some of it is wrong."""
    aim = draw(st.sampled_from(AIMS))
    variants = draw(st.lists(names, min_size=1, max_size=3))
    logs = [f"{k}-v.gdlog" for k in range(1, len(variants) + 1)]
    is_spoilt = aim in ("logs", "all")
    files: dict[str, bytes | str] = {
        "run.json": draw(run_json(variants, logs, is_wrong=aim in ("run.json", "all")))
    }
    for log in logs:
        files[log] = draw(log_bytes(draw(sound_log()), is_spoilt=is_spoilt))
    about = variants if aim == "sound" else [*variants, "of another run"]
    files["session.gdlog"] = draw(log_bytes(draw(session_log(about)), is_spoilt=is_spoilt))
    if aim in ("files", "all"):
        _disarrange(draw, files)
    if draw(st.booleans()):
        files[HOST_NOTE] = draw(host_note())
    files[".tensors"] = draw(st.sampled_from(["missing", "evil", "link to a folder outside"]))
    return HostileRun(draw(st.sampled_from(DIRECTORY_NAMES)), files)


def _disarrange(draw: st.DrawFn, files: dict[str, bytes | str]) -> None:
    """Put things that are no files in the places of files, and others beside them."""
    extras = st.sampled_from(
        [
            *("workers.out", "1-v.weights", "1-v.out", "sweep.json", "stills", "code"),
            *("0-x.gdlog", "host.out", HOST_NOTE),
        ]
    )
    for extra in draw(st.lists(extras, max_size=2)):
        files[extra] = draw(st.one_of(st.sampled_from(NO_FILES), st.binary(max_size=50)))
    for name in draw(st.lists(st.sampled_from(sorted(files)), min_size=1, max_size=2)):
        files[name] = draw(st.one_of(st.just("missing"), st.sampled_from(NO_FILES)))


# --- On the disk --------------------------------------------------------------------------------


class Nest:
    """A folder of runs with a hostile one in it, and what must not be touched around it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "state" / "gdtui" / "runs"
        self.canary = folder / "canary"
        self._outside = folder / "outside"
        (self._outside / "folder").mkdir(parents=True)
        for name in ("secret", "folder/train.pt", "folder/1-v.gdlog"):
            (self._outside / name).write_bytes(name.encode() * 10)
        self.root.mkdir(parents=True)
        self._before = self.seen_outside()

    def seen_outside(self) -> dict[str, object]:
        """Everything outside of the runs: names, content, times of changes."""
        return {
            str(path): (
                path.lstat().st_mtime_ns,
                path.lstat().st_mode,
                path.read_bytes()
                if path.is_file()
                else sorted(each.name for each in path.iterdir()),
            )
            for path in [self._outside, *self._outside.rglob("*")]
        }

    def check(self) -> None:
        """No file outside was touched, and no code of the run was run."""
        assert self.seen_outside() == self._before
        assert not self.canary.exists()

    def put(self, run: HostileRun) -> Path:
        """Put the directory there."""
        path = self.root / run.name
        path.mkdir()
        for name, content in run.files.items():
            if isinstance(content, bytes):
                (path / name).write_bytes(content)
            elif content != "missing":
                self._put(path / name, content)
        (path / "evil.py").write_text(f"import os\nos.mkdir({str(self.canary)!r})\n")
        return path

    def _put(self, path: Path, kind: str) -> None:
        match kind:
            case "directory":
                path.mkdir()
            case "FIFO":
                os.mkfifo(path)
            case "socket":
                self._bind(path)
            case "evil":
                path.mkdir()
                (path / "problem.pickle").write_bytes(pickle.dumps(Evil(self.canary)))
            case "hard link outside":
                os.link(self._outside / "secret", path)
            case "empty":
                path.touch()
            case _:
                path.symlink_to(self._target(path, kind))

    def _target(self, path: Path, kind: str) -> Path:
        """The end of a link; the other half of a loop is made, too."""
        if kind == "loop of links":
            other = path.with_name(f"{path.name}.other")
            other.symlink_to(path.name)
            return other
        return {
            "link to itself": path,
            "link to nothing": path.with_name("nothing"),
            "link to /dev/zero": Path("/dev/zero"),
            "link outside": self._outside / "secret",
            "link to a folder outside": self._outside / "folder",
        }[kind]

    def _bind(self, path: Path) -> None:
        """Make a socket there, by a name that is short enough for one."""
        folder = os.open(path.parent, os.O_RDONLY)
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(f"/proc/self/fd/{folder}/{path.name}")
        os.close(folder)


__all__ = ["HOSTILE_TEXTS", "HostileRun", "Nest", "hostile_runs"]
