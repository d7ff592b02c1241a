"""run.json from somebody else: what cannot be a run is told in a line, and text is clean."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine.log.directory import RunDirectory, RunDirectoryError
from engine.settings import RunSettings, Variant, VariantSettings

SETTINGS = RunSettings(
    variants=tuple(Variant(name=name, settings=VariantSettings()) for name in ("A", "B"))
)
HOSTILE = "\x1b]0;owned\x07\x9b2J\u202e"


@pytest.fixture
def made(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path / "run", SETTINGS, "1")


def told(run: RunDirectory, content: bytes | dict[str, Any]) -> str:
    """The refusal of a run.json with that content."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    (run.path / "run.json").write_bytes(data)
    with pytest.raises(RunDirectoryError) as refused:
        RunDirectory.open(run.path)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 1_000
    return str(refused.value)


def content_of(run: RunDirectory) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run.path / "run.json").read_bytes())
    return content


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 200_000,
        b'{"format": 1, "x": ' + b"[" * 200_000,
        b'{"format": 1, "x": ' + b'{"y":' * 200_000,
        b'{"format": 1, "version": "\xff\xfe"}',
        b'{"format": 1, "version": "\\ud800"}',
        b'{"format": 1e400}',
        b'{"format": NaN}',
        b'{"format": "\\u001b[2J"}',
        b'{"format": null}',
        b"null",
        b"\x00" * 1000,
    ],
    ids=lambda content: content[:24].decode("latin-1"),
)
def test_bytes_that_are_no_run_json(made: RunDirectory, content: bytes) -> None:
    assert "damaged" in told(made, content)


@pytest.mark.parametrize(
    "logs",
    [
        ["", "2-b.gdlog"],
        [".", "2-b.gdlog"],
        ["..", "2-b.gdlog"],
        [".gdlog", "2-b.gdlog"],
        ["../../a.gdlog", "2-b.gdlog"],
        ["/etc/passwd", "2-b.gdlog"],
        ["a\0.gdlog", "2-b.gdlog"],
        ["a" * 5_000 + ".gdlog", "2-b.gdlog"],
        ["2-b.gdlog", "2-b.gdlog"],
        ["session.gdlog", "2-b.gdlog"],
        ["run.json", "2-b.gdlog"],
        ["2-b.gdlog"],
        ["1-a.gdlog", "2-b.gdlog", "3-c.gdlog"],
        ["1-a.gdlog", 2],
        "1-a.gdlog",
    ],
    ids=lambda logs: str(logs)[:30],
)
def test_names_that_no_log_has(made: RunDirectory, logs: Any) -> None:
    assert "damaged" in told(made, {**content_of(made), "logs": logs})


@pytest.mark.parametrize("created", [-1.0, 1e300, "now", None])
def test_a_beginning_at_no_time(made: RunDirectory, created: Any) -> None:
    assert "damaged" in told(made, {**content_of(made), "created": created})


@pytest.mark.parametrize(
    "different",
    [
        {"variants": []},
        {"epochs": 0},
        {"epochs": 10**400},
        {"threads": 10**400},
        {"seed": -1},
        {"pace": -1.0},
        {"validate_every": 0},
        {"checkpoint_every": -1},
        {"checkpoint_disk": 0},
        {HOSTILE: 1},
        {"data_on": HOSTILE},
    ],
    ids=lambda different: ascii(next(iter(different))),
)
def test_settings_that_no_run_has(made: RunDirectory, different: dict[str, Any]) -> None:
    content = content_of(made)
    content["settings"] |= different
    assert "damaged" in told(made, content)


def test_more_variants_than_a_run_may_have(made: RunDirectory) -> None:
    content = content_of(made)
    one = content["settings"]["variants"][0]
    content["settings"]["variants"] = [{**one, "name": str(k)} for k in range(1_001)]
    content["logs"] = [f"{k}.gdlog" for k in range(1_001)]
    assert "1,000 variants" in told(made, content)


@pytest.mark.parametrize("names", [["", "B"], [" ", "B"], ["A", "A"], ["A\n", "A "[:1] + " "]])
def test_names_that_no_variants_have(made: RunDirectory, names: list[str]) -> None:
    content = content_of(made)
    for variant, name in zip(content["settings"]["variants"], names, strict=True):
        variant["name"] = name
    assert "damaged" in told(made, content)


def test_names_that_differ_in_nothing_that_can_be_seen(made: RunDirectory) -> None:
    content = content_of(made)
    content["settings"]["variants"][0]["name"] = "A\x1b"
    content["settings"]["variants"][1]["name"] = r"A\x1b"
    assert "unique name" in told(made, content)


def test_text_is_cleaned(made: RunDirectory) -> None:
    content = content_of(made)
    content["settings"] |= {"problem": HOSTILE, "device": HOSTILE, "notes": [HOSTILE, "[red]x[/]"]}
    content["settings"]["variants"][0]["name"] = HOSTILE
    content["version"] = HOSTILE
    (made.path / "run.json").write_bytes(json.dumps(content).encode())
    info = RunDirectory.open(made.path).info
    shown = (*info.settings.notes, info.settings.problem, info.settings.device, info.version)
    assert all(map(str.isprintable, (*shown, info.settings.variants[0].name)))
    assert info.settings.notes[1] == "[red]x[/]"


def test_a_path_is_told_without_what_a_terminal_obeys(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match=r"x1b\[31m") as refused:
        RunDirectory.open(tmp_path / "\x1b[31mnowhere")
    assert refused.value.path == tmp_path / "\x1b[31mnowhere"
