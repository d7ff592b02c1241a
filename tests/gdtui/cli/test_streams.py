"""Terminals on which no app can be shown: refused in one line that says what to do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gdtui.cli.main import main


def refused(arguments: list[str], env: dict[str, str], answer: bytes = b"") -> str:
    """The stderr of `gdtui` in a terminal that answers so to the question for the cursor."""
    terminal, program = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "gdtui", *arguments],
        env=env,
        stdin=program,
        stdout=program,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(program)
    try:
        if answer:
            shown = b""
            while b"\x1b[6n" not in shown:
                shown += os.read(terminal, 64)
            os.write(terminal, answer)
        _, said = process.communicate(timeout=300)
    finally:
        process.kill()
        os.close(terminal)
    assert process.returncode == 2
    assert said.count("\n") == 1
    return said


@pytest.mark.parametrize("term", ["dumb", "unknown"])
@pytest.mark.parametrize(("command", "instead"), [([], "gdtui train"), (["watch"], "gdtui export")])
def test_a_terminal_without_a_screen(
    term: str, command: list[str], instead: str, cli_env: dict[str, str], tmp_path: Path
) -> None:
    said = refused(command, {**cli_env, "TERM": term})
    assert f"TERM={term}" in said
    assert "TERM=xterm-256color" in said
    assert said.endswith(f"or use: {instead}\n")
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    "variables", [{"LANG": "C"}, {"LC_ALL": "POSIX"}, {}], ids=["C", "POSIX", "none"]
)
def test_a_terminal_that_shows_no_utf_8(variables: dict[str, str], cli_env: dict[str, str]) -> None:
    """Under a locale that does not promise it; a braille character took three columns."""
    env = {
        key: value
        for key, value in cli_env.items()
        if not key.startswith(("LC_", "LANG", "PYTHONUTF8"))
    }
    said = refused([], {**env, "TERM": "xterm", **variables}, answer=b"\x1b[1;4R")
    assert "UTF-8" in said
    assert "LANG=C.UTF-8" in said
    assert said.endswith("or use: gdtui train\n")


@pytest.mark.parametrize("line", ["", "train", "--version"])
def test_windows_is_refused_with_what_to_use(
    line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert main(line.split()) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "gdtui: needs Linux or macOS; on Windows, install and start it inside WSL2\n"
