"""Runs of a later gdtui: a newer format is refused by name, unknown records are skipped."""

import json
import re
import shutil
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from terminal import Terminal

import gdtui
from engine.log.file import LogReader, frame
from engine.log.format import FORMAT
from engine.log.records import Record

STORED = Path(__file__).resolve().parents[1] / "stored_runs" / "format-1"
NEXT = FORMAT + 1
REFUSAL = (
    f"was written by gdtui 7.2 (format {NEXT}); this gdtui reads up to format {FORMAT}. "
    "Upgrade it: pip install -U gdtui"
)


def contents(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """The runs of a user, two of them: one of this form and one of the next."""
    root = tmp_path / "state" / "gdtui" / "runs"
    shutil.copytree(STORED, root / "ours")
    newer = shutil.copytree(STORED, root / "newer")
    document = json.loads((newer / "run.json").read_text())
    document.update(format=NEXT, version="7.2", variants=document["settings"].pop("variants"))
    (newer / "run.json").write_text(json.dumps(document))
    return root


@pytest.mark.parametrize("command", [("export",), ("export", "--measurements")])
def test_export_refuses_it(runs: Path, cli_in_process: Callable, command: tuple[str, ...]) -> None:
    result = cli_in_process(*command, runs / "newer")
    assert (result.returncode, result.stdout) == (2, "")
    assert f"{runs / 'newer'} {REFUSAL}" in " ".join(result.stderr.split())


@pytest.mark.parametrize("options", [(), ("--replay", "10")])
def test_watch_refuses_it(runs: Path, cli_env: dict[str, str], options: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "gdtui", "watch", str(runs / "newer"), *options]
    with Terminal(command, env=cli_env, columns=300, rows=10) as terminal:
        assert terminal.wait() == 2
        assert REFUSAL in terminal.text


def test_the_api_refuses_it(runs: Path) -> None:
    with pytest.raises(gdtui.RunDirectoryError) as error:
        gdtui.open_run(runs / "newer")
    assert str(error.value) == f"{runs / 'newer'} {REFUSAL}"


def test_runs_lists_both_and_removes_what_it_knows(runs: Path, cli_in_process: Callable) -> None:
    before = contents(runs / "newer")
    listed = json.loads(cli_in_process("runs", "--json").stdout)["runs"]
    states = {Path(run["run_dir"]).name: run["state"] for run in listed}
    assert states == {"ours": "finished", "newer": "newer format"}
    assert "newer format" in cli_in_process("runs").stdout
    result = cli_in_process("runs", "--prune", "--yes")
    assert (result.returncode, result.stderr) == (0, "")
    assert [path.name for path in runs.iterdir()] == ["newer"]
    assert contents(runs / "newer") == before


def test_no_run_is_begun_in_its_place(runs: Path, cli_in_process: Callable) -> None:
    before = contents(runs)
    result = cli_in_process("train", "--run-dir", runs / "newer", "--epochs", "1")
    assert result.returncode == 2
    assert "already holds a run" in result.stderr
    assert contents(runs) == before


def test_a_log_of_a_later_form_is_named_and_the_others_are_read(
    runs: Path, cli_in_process: Callable
) -> None:
    log = runs / "ours" / "2-mini-batch.gdlog"
    data = bytearray(log.read_bytes())
    data[7] = NEXT
    log.write_bytes(data)
    result = cli_in_process("export", runs / "ours")
    assert result.returncode == 1
    assert f"2-mini-batch.gdlog: was written by a later gdtui (format {NEXT})" in result.stderr
    assert {line.split(",")[0] for line in result.stdout.splitlines()[1:]} == {"Batch GD", "SGD"}


@pytest.mark.parametrize("number", [0, -1, 256, 10**4000, "2", 1.5, None])
def test_a_number_that_is_no_format_is_damage(runs: Path, number: object) -> None:
    (runs / "newer" / "run.json").write_text(json.dumps({"format": number}))
    with pytest.raises(gdtui.RunDirectoryError, match="is damaged") as error:
        gdtui.open_run(runs / "newer")
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("version", ["\x1b[31mred", "9" * 99, 7, None])
def test_a_version_that_is_no_version_is_not_repeated(runs: Path, version: object) -> None:
    (runs / "newer" / "run.json").write_text(json.dumps({"format": NEXT, "version": version}))
    with pytest.raises(gdtui.RunDirectoryError, match=rf"by a later gdtui \(format {NEXT}\)"):
        gdtui.open_run(runs / "newer")


class Checkpointed(Record, frozen=True, kw_only=True):
    """A record of a kind that this gdtui does not know."""

    place: dict[str, int]


def add_unknown_records(log: Path) -> None:
    """Put one after each record but the last, which ends the log."""
    reader, data = LogReader(log), log.read_bytes()
    ends = [reader.offset for _ in reader]
    unknown = frame(Checkpointed(place={"update": 7}))
    cuts = pairwise([0, *ends[:-1], len(data)])
    log.write_bytes(unknown.join(data[start:stop] for start, stop in cuts))


def test_unknown_records_are_skipped_by_every_reader(
    runs: Path, cli_in_process: Callable, cli_env: dict[str, str]
) -> None:
    run = runs / "ours"
    exports = [("export",), ("export", "--measurements")]
    before = [cli_in_process(*command, run).stdout for command in exports]
    for log in run.glob("*.gdlog"):
        add_unknown_records(log)
    for command, expected in zip(exports, before, strict=True):
        result = cli_in_process(*command, run)
        assert (result.returncode, result.stderr, result.stdout) == (0, "", expected)
    states = {
        one["run_dir"]: one["state"]
        for one in json.loads(cli_in_process("runs", "--json").stdout)["runs"]
    }
    assert states[str(run)] == "finished"
    opened = gdtui.open_run(run)
    assert opened.incomplete == {}
    assert len(opened.columns()["loss"]) == len(before[0].splitlines()) - 1
    command = [sys.executable, "-m", "gdtui", "watch", str(run)]
    with Terminal(command, env=cli_env, columns=160, rows=45) as terminal:
        terminal.wait_for(lambda: re.search(r"3 SGD → 8 .* 1,374 ", terminal.text))
        terminal.send("q")
        assert terminal.wait() == 0
