"""Runs from somebody else on a real terminal: what they hold is shown, and never obeyed."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from forged import document, forge
from hostile_values import is_obeyed
from plain_chunks import plain_chunk
from terminal import Terminal

from engine.log.directory import RunDirectory
from engine.log.file import LogReader
from engine.log.records import Started, State, StateChanged

MakeRun = Callable[..., RunDirectory]
Cli = Callable[..., "subprocess.CompletedProcess[str]"]

OWNED = "\x1b]0;owned\x07\x9d0;owned\x9c\x1b]52;c;b3duZWQ=\x07\x1b[2J\u202e"
"""A window's title, the clipboard, an erased screen, text from right to left."""
MARKUP = "[red]b[/] [@click=app.quit]q[/]"


@pytest.fixture
def hostile(make_run: MakeRun, tmp_path: Path) -> RunDirectory:
    """A run that says such things wherever it can say anything."""
    run = make_run(tmp_path / "state" / "gdtui" / "runs" / OWNED)
    content = json.loads((run.path / "run.json").read_bytes())
    content["version"] = OWNED
    content["settings"] |= {"problem": OWNED, "device": OWNED, "notes": [OWNED, MARKUP]}
    for variant in content["settings"]["variants"]:
        variant["name"] += f" {MARKUP}{OWNED}"
    (run.path / "run.json").write_text(json.dumps(content))
    started, *_ = LogReader(run.path / content["logs"][0])
    assert isinstance(started, Started)
    failed = StateChanged(generation=1, state=State.FAILED)
    for log in content["logs"]:
        forge(
            run.path / log,
            [
                document(started, model=OWNED + MARKUP, device=OWNED),
                plain_chunk(1, 50, n=10_000),
                {"type": "Refused", "detail": OWNED + MARKUP, "command": 1},
                {"type": "Remarked", "text": OWNED + MARKUP, "question": 1, "choices": [MARKUP]},
                document(failed, detail=OWNED + MARKUP, traceback=OWNED),
                {"type": "End", "wall_time": OWNED},
            ],
        )
    return run


def test_the_screen_shows_and_obeys_nothing(hostile: RunDirectory, cli_env: dict[str, str]) -> None:
    command = [sys.executable, "-m", "gdtui", "watch", str(hostile.path)]
    with Terminal(command, env=cli_env) as terminal:
        terminal.wait_for("stopped")  # its last record is damaged
        for key in "1ekzTyx":
            terminal.send(key)
            terminal.send("\x1b[27u")  # Escape, which no key after it can make an Alt
        terminal.wait_for("[red]b[/]")
        assert "[@click=app.quit]" in terminal.text
        terminal.send("q")
        assert terminal.wait() == 0
        for planted in (b"owned\x07", b"\x1b]52;c;b3", "\x9d0;".encode(), "\u202e".encode()):
            assert planted not in terminal.raw


@pytest.mark.parametrize(
    "words", [["runs"], ["runs", "--json"], ["verify"], ["verify", "--json"], ["export"]]
)
def test_commands_show_and_obey_nothing(
    hostile: RunDirectory, cli_in_process: Cli, words: list[str]
) -> None:
    result = (
        cli_in_process(*words)
        if words[0] == "runs"
        else cli_in_process(words[0], hostile.path, *words[1:])
    )
    shown: str = result.stdout + result.stderr
    assert "owned" in shown or words[0] == "verify"
    assert not {each for each in shown if is_obeyed(each)} - {"\n"}
    assert "Traceback" not in shown


def test_pruning_removes_it_with_one_line(hostile: RunDirectory, cli_in_process: Cli) -> None:
    result = cli_in_process("runs", "--prune", "--yes")
    assert (result.returncode, result.stderr) == (0, "")
    assert not hostile.path.exists()
