"""`gdtui record`: a stored run as a file, the same bytes each time."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyte
import pytest
from click import UsageError
from command_lines import context

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
STORED = Path(__file__).parents[4] / "stored_runs" / "format-1"
SCRIPT = ("--speed", "100", "--keys", "1s ? 1s escape 2 z 500ms l", "--size", "100x30")


@pytest.fixture
def record(cli: Cli, cli_env: dict[str, str]) -> Callable[..., str]:
    """Record the stored run into a file, in this time zone; returns stdout."""

    def run(path: Path, *options: str, zone: str = "UTC") -> str:
        cli_env["TZ"] = zone
        result = cli("record", "--replay", STORED, *SCRIPT, *options, "-o", path)
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout

    return run


def test_the_same_run_and_keys_give_the_same_bytes(
    record: Callable[..., str], cli_env: dict[str, str], tmp_path: Path
) -> None:
    """In another time zone, on another kind of terminal, with sets in another order."""
    first, second, text = (tmp_path / name for name in ("a.cast", "b.cast", "c.txt"))
    reported = json.loads(record(first, "--json"))
    cli_env |= {"PYTHONHASHSEED": "7", "NO_COLOR": "1", "COLUMNS": "40", "TERM": "linux"}
    record(second, zone="Pacific/Auckland")
    record(text, zone="America/Lima")
    assert first.read_bytes() == second.read_bytes()
    header, *events = map(json.loads, first.read_text().splitlines())
    assert (header["version"], header["width"], header["height"]) == (2, 100, 30)
    assert reported["frames"] + 1 == len(events)
    assert reported["bytes"] == first.stat().st_size
    assert events[-1] == [reported["seconds"], "o", ""]
    screen = pyte.Screen(100, 30)
    stream = pyte.Stream(screen)
    is_help_seen = False
    for _, _, sequences in events:
        stream.feed(sequences)
        is_help_seen |= "halve or double" in "\n".join(screen.display)
    assert is_help_seen
    assert "Mini-batch" in screen.display[1], "alone, at the end"
    assert [line.rstrip() for line in screen.display] == text.read_text().splitlines()
    assert "Mini-batch" in text.read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--replay missing -o x.cast", "missing"),
        ("--replay RUN -o x.mp4", "choose from .cast"),
        ("--replay RUN -o nowhere/x.cast", "no directory nowhere"),
        ("--replay RUN", "give it with -o"),
        ("--replay RUN --lr 1 -o x.cast", "--lr has no effect on a replay"),
        ("--speed 2 -o x.cast", "add --replay"),
        ("--problem missing.py -o x.cast", "missing.py"),
    ],
)
def test_errors_are_one_line(options: str, message: str, cli_in_process: Cli) -> None:
    result = cli_in_process("record", *options.replace("RUN", str(STORED)).split())
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("size", ["10x5", "160", "80x", "axb", "9999x9999", "80x24x3", "-80x24"])
def test_sizes_that_make_no_screen_are_refused(size: str) -> None:
    with pytest.raises(UsageError):
        context(["record", "--size", size])


def test_ctrl_c_leaves_no_file(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "x.cast"
    result = cli("record", "--replay", STORED, "--keys", "1s ctrl+c", "-o", path)
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "")
    assert not path.exists()


def test_a_training_is_recorded(cli: Cli, tmp_path: Path) -> None:
    path, run = tmp_path / "x.txt", tmp_path / "run"
    training = ("--batch-sizes", "500", "--epochs", "1", "--pace", "free", "--run-dir", run)
    result = cli("record", *training, "--keys", "100ms f q", "-o", path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "Mini-batch" in path.read_text()
    assert (run / "run.json").exists()


def test_a_paused_replay_does_not_go_on_for_ever(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    result = cli("record", "--replay", STORED, "--keys", "200ms space", "-o", path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "paused" in path.read_text().splitlines()[0]
