"""After resizes, themes and other keys in mid-stream, every cell is what a fresh screen has."""

import os
import re
import signal
import time
from pathlib import Path

import pytest
from real_app import CONSOLE_SCRIPT, StartApp
from terminal import PATIENCE, Cell, Terminal

STORM = [
    ((80, 24), "t"),
    ((160, 45), "x2]zz"),
    ((100, 28), "0+"),
    ((40, 12), "??"),
    ((60, 8), "wy"),
    ((130, 40), "twwy"),
    ((80, 24), "bxx"),
    ((120, 35), "bt\x1b[H"),
]
"""Sizes, and keys that come there; in the end the view is that of the start."""


KEYS_OF_SETTINGS = re.compile(r" \[ \]| , \.")
"""Keys behind the settings that they change; only the screen in control shows them."""


def text(row: list[Cell]) -> str:
    return "".join(cell[0] for cell in row)


def words(row: list[Cell]) -> list[str]:
    """The words of a row, without the keys behind settings."""
    return KEYS_OF_SETTINGS.sub("", text(row)).split()


def differences(
    one: list[list[Cell]], other: list[list[Cell]]
) -> list[tuple[int, int, Cell, Cell]]:
    """(row, column, cell, other cell) between header and footer, which tell who watches."""
    if len(one) != len(other):
        return [(len(one), len(other), one[0][0], other[0][0])]
    return [
        (y, x, a, b)
        for y, (row, row2) in enumerate(zip(one[1:-1], other[1:-1], strict=True), start=1)
        for x, (a, b) in enumerate(zip(row, row2, strict=False))
        if a != b and not (KEYS_OF_SETTINGS.search(text(row)) and words(row) == words(row2))
    ]


@pytest.mark.parametrize("env", [{}, {"NO_COLOR": "1"}], ids=["all colours", "NO_COLOR"])
def test_no_cell_is_stale_after_changes_in_mid_stream(
    start_app: StartApp, cli_env: dict[str, str], env: dict[str, str]
) -> None:
    arguments = ("--epochs", "1000", "--pace", "1", "--batch-sizes", "full,64,16")
    app = start_app(*arguments, env=env, columns=120, rows=35)
    terminal = app.terminal
    app.wait_for_losses()
    for size, keys in STORM:
        terminal.resize(*size)
        terminal.wait_for(lambda width=size[0]: re.search(r"\w $", terminal.screen[0].ljust(width)))
        terminal.send(keys)
        time.sleep(0.25)  # some frames of it
    terminal.send(" ")
    terminal.wait_for(lambda: terminal.text.count("paused") >= 4)
    command = [*CONSOLE_SCRIPT, "watch", str(app.path)]
    with Terminal(command, env={**cli_env, **env}, columns=120, rows=35) as fresh:
        fresh.wait_for("paused · watching")
        deadline = time.monotonic() + PATIENCE / 2
        while found := differences(terminal.cells, fresh.cells):
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"{len(found)} cells: {found[0]}\n{terminal.text}\nfresh:\n{fresh.text}"
                )
            time.sleep(0.1)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
def test_the_whole_screen_is_back_after_ctrl_z_and_fg(start_app: StartApp) -> None:
    app = start_app("--batch-sizes", "64", "--epochs", "1000", columns=100, rows=30)
    terminal = app.terminal
    app.wait_for_losses()
    terminal.send(" ")
    terminal.wait_for(lambda: terminal.text.count("paused") >= 2)
    terminal.send("\x1a")
    stat = Path(f"/proc/{terminal.pid}/stat")
    terminal.wait_for(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T")
    left = len(terminal.raw)
    os.kill(terminal.pid, signal.SIGCONT)
    # A terminal's other screen is empty when it comes back: all must be sent, what stood still,
    # too.
    for still in ("gdtui", "synthetic", "Mini-batch", "╰", "quit"):
        terminal.wait_for(lambda text=still: text in terminal.raw[left:].decode(errors="replace"))
