"""`gdtui plot`: errors without matplotlib, files with it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gdtui.cli.main import main

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
STORED = Path(__file__).parents[4] / "stored_runs" / "format-1"
MAGIC = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The line on stderr with which the command ends."""
    assert main(["plot", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    return err


def test_errors_are_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "gdtui.plot.drawing", None)
    stored, file = str(STORED), str(tmp_path / "x.png")
    assert "pip install 'gdtui[plot]'" in refused(capsys, stored, "-o", file)
    assert "give it with -o" in refused(capsys, stored)
    assert "unknown suffix '.jpg'; choose from .png, .svg, .pdf" in refused(
        capsys, stored, "-o", "x.jpg"
    )
    assert "--smooth: '2': choose from 0.25, 1, 4" in refused(
        capsys, stored, "-o", file, "--smooth", "2"
    )
    assert "choose from column" in refused(capsys, stored, "-o", file, "--size", "A4")


@pytest.mark.integration
def test_the_same_chart_has_the_same_bytes(cli: Cli, cli_in_process: Cli, tmp_path: Path) -> None:
    """In whatever process it is drawn."""
    pytest.importorskip("matplotlib")
    for suffix, magic in MAGIC.items():
        files = [tmp_path / f"{name}{suffix}" for name in "ab"]
        options = ("--size", "two-columns", "--theme", "light", "--title", "a <b> & $c$", "--json")
        for file, plot in zip(files, (cli, cli_in_process), strict=True):
            result = plot("plot", STORED, "-o", file, *options)
            assert (result.returncode, result.stderr) == (0, "")
            assert json.loads(result.stdout)["runs"] == [str(STORED)]
        first, second = (file.read_bytes() for file in files)
        assert first.startswith(magic)
        assert first == second
    missing = cli_in_process("plot", tmp_path / "nothing", "-o", tmp_path / "x.png")
    assert (missing.returncode, missing.stdout, missing.stderr.count("\n")) == (2, "", 1)
    full = cli("plot", STORED, "-o", "/dev/full/x.png")
    assert (full.returncode, full.stderr.count("\n")) == (1, 1)
