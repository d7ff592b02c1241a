"""The app on other sizes and kinds of terminals: no crash, no colour where none is wanted."""

import contextlib
import os
import re
import subprocess
from pathlib import Path

import pytest
from real_app import CONSOLE_SCRIPT, App, StartApp
from terminal import Terminal

SIZES = [(120, 30), (80, 24), (40, 12), (10, 3), (1, 1), (300, 100), (20, 60), (160, 8), (160, 45)]
SGR = re.compile(rb"\x1b\[([0-9;:]*)m")
COLOURS = {*range(30, 40), *range(40, 50), *range(90, 98), *range(100, 108)}


def is_painted(app: App, columns: int, rows: int) -> bool:
    """True when the header fills the first row, and something stands in the last one."""
    screen = app.terminal.screen
    return (
        len(screen) == rows and "paused" in screen[0] and all(len(row) <= columns for row in screen)
    )


def test_resizing_crashes_nothing_and_a_resized_screen_is_the_one_of_that_size(
    start_app: StartApp,
) -> None:
    """First while it trains, then paused, so that nothing else changes."""
    app = start_app("--epochs", "1000")
    terminal = app.terminal
    app.wait_for_losses()
    for columns, rows in SIZES:
        before = terminal.bytes_written
        terminal.resize(columns, rows)
        terminal.wait_for(lambda before=before: terminal.bytes_written > before)
    app.wait_for_losses()
    terminal.send(" ")
    terminal.wait_for(lambda: terminal.text.count("paused") >= 4)
    seen = {(160, 45): terminal.screen}
    for columns, rows in [(80, 24), (300, 100), (10, 3), (80, 24), (160, 45)]:
        terminal.resize(columns, rows)
        terminal.wait_for(lambda columns=columns, rows=rows: is_painted(app, columns, rows))
        if (columns, rows) in seen:
            terminal.wait_for(lambda size=(columns, rows): terminal.screen == seen[size])
        elif columns >= 80:
            app.wait_for_losses()
            terminal.wait_for("q quit")
            seen[columns, rows] = terminal.screen
    small = seen[80, 24]
    assert [name for name in ("Batch GD", "Mini-batch", "SGD") if any(name in row for row in small)]
    assert max(map(len, small)) <= 80
    terminal.send("q")
    assert terminal.wait() == 0
    assert not (app.path / "crash.txt").exists()


OTHERS = {
    "NO_COLOR": ("truecolor", {"NO_COLOR": "1"}, r"39|49"),
    "256": ("256", {}, r"[34]8;5;\d+|39|49"),
}
"""Colours, environment and allowed codes of terminals that are attached to a run."""


def test_no_more_colours_are_sent_than_there_are(
    start_app: StartApp, cli_env: dict[str, str]
) -> None:
    """One run on three terminals.

    Under NO_COLOR the terminal's own foreground and background alone, without greys.
    """
    app = start_app("--epochs", "1000", colours="16")
    app.wait_for_losses()
    with contextlib.ExitStack() as stack:
        screens = {"16": app.terminal}
        for name, (colours, env, _) in OTHERS.items():
            attach = [*CONSOLE_SCRIPT, "attach", str(app.path)]
            terminal = Terminal(attach, env={**cli_env, **env}, colours=colours)
            screens[name] = stack.enter_context(terminal)
            terminal.wait_for("all data")
        app.terminal.send("2]")
        for terminal in screens.values():
            terminal.wait_for("┊batch 64→128")
        app.terminal.send("r")
        for terminal in screens.values():
            terminal.send("0t?")
            terminal.wait_for("restart from the same weights")
        sent = {name: terminal.raw for name, terminal in screens.items()}
    for name, (_, env, allowed) in OTHERS.items():
        assert [code for code in colours_in(sent[name]) if not re.fullmatch(allowed, code)] == []
        assert ("2" in attributes_in(sent[name])) == bool(env), "dim stands for paler"
    app.terminal.send("q")
    assert app.terminal.wait() == 0
    codes = colours_in(app.terminal.raw)
    allowed = r"[349][0-7]|10[0-7]|39|49"
    assert [code for code in codes if not re.fullmatch(allowed, code)] == []
    assert "2" not in attributes_in(app.terminal.raw)
    assert {"96", "93", "95"} <= codes, "the three variants"
    assert {"36", "33", "35"} <= codes, "and their envelopes"


CODE = re.compile(r"[34]8[;:](?:2(?:[;:]\d+){3}|5[;:]\d+)|\d+")


def codes_in(raw: bytes) -> set[str]:
    """Each single thing that a sequence of SGR asks for."""
    return {code for text in set(SGR.findall(raw)) for code in CODE.findall(text.decode())}


def colours_in(raw: bytes) -> set[str]:
    return {code for code in codes_in(raw) if int(re.split("[;:]", code)[0]) in COLOURS}


def attributes_in(raw: bytes) -> set[str]:
    return codes_in(raw) - colours_in(raw)


@pytest.mark.parametrize("stream", ["stdin", "stdout"])
def test_without_a_terminal_it_points_to_train(
    tmp_path: Path, cli_env: dict[str, str], stream: str
) -> None:
    master, slave = os.openpty()
    result = subprocess.run(
        [*CONSOLE_SCRIPT, "--run-dir", str(tmp_path / "run")],
        env=cli_env,
        stdin=subprocess.DEVNULL if stream == "stdin" else slave,
        stdout=subprocess.DEVNULL if stream == "stdout" else slave,
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
        check=False,
    )
    os.close(master)
    os.close(slave)
    assert result.returncode == 2
    assert "gdtui train" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "run").exists()
