"""Every batch becomes one row, in order; damage costs what follows it and is said."""

import contextlib
import csv
import fcntl
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from engine.log.directory import RunDirectory
from engine.log.file import LogReader
from engine.log.records import Chunk, End, Evaluation, Started
from engine.log.records.chunk import joined
from engine.log.writing.writer import LogWriter
from gdtui.export.csv_export import COLUMNS, chunk_rows

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
MakeRun = Callable[..., RunDirectory]


@pytest.fixture
def cli(cli_in_process: Cli) -> Cli:
    """These commands need no process of their own."""
    return cli_in_process


CHUNK = Chunk(
    generation=2,
    epoch=3,
    batch=11,
    update=4,
    in_update=1,
    samples=70,
    seconds=1.5,
    duration=1.0,
    batch_size=10,
    last_batch_size=7,
    accumulation_steps=3,
    lr=0.1 + 0.2,
    losses=np.array([0.1, 1 / 3, 1e-12, np.nan], "<f4").tobytes(),
)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_a_chunk_becomes_a_row_for_each_batch() -> None:
    table = rows(",".join(COLUMNS) + "\n" + chunk_rows("SGD", CHUNK))
    assert [row["batch"] for row in table] == ["11", "12", "13", "14"]
    assert [row["update"] for row in table] == ["4", "4", "5", "5"]
    assert [row["samples"] for row in table] == ["70", "80", "90", "100"]
    assert [row["batch_size"] for row in table] == ["10", "10", "10", "7"]
    assert [float(row["seconds"]) for row in table] == [1.5, 1.75, 2.0, 2.25]
    assert {row["generation"] for row in table} == {"2"}
    assert {row["accumulation_steps"] for row in table} == {"3"}
    assert {float(row["lr"]) for row in table} == {0.1 + 0.2}


def test_whole_epochs_in_a_chunk_become_the_rows_that_each_would() -> None:
    one = replace(CHUNK, in_update=0, losses=np.arange(4, dtype="<f4").tobytes())
    epochs = [one, replace(one, epoch=4, batch=15, update=6, samples=107, seconds=2.5)]
    assert chunk_rows("SGD", joined(epochs)) == "".join(chunk_rows("SGD", e) for e in epochs)


def test_a_batch_without_weight_has_no_loss() -> None:
    chunk = replace(CHUNK, losses=np.array([0.1, 0, 0, 0.5], "<f4").tobytes(), weightless=(1, 2))
    losses = [line.rpartition(",")[2] for line in chunk_rows("x", chunk).splitlines()]
    assert losses == ["0.1", "", "", "0.5"]


def test_losses_are_the_shortest_text_that_reads_back_exactly() -> None:
    table = rows(",".join(COLUMNS) + "\n" + chunk_rows("SGD", CHUNK))
    assert [row["loss"] for row in table] == ["0.1", "0.33333334", "1e-12", "nan"]


def test_all_rows_of_all_generations(cli: Cli, make_run: MakeRun) -> None:
    run = make_run(names=('Comma, "quoted"', "SGD"), epochs=3)
    started = next(iter(LogReader(run.variant_log("SGD"))))
    assert isinstance(started, Started)
    second = replace(started, generation=2)
    with LogWriter(run.variant_log("SGD")) as log:
        log.append(second)
        log.append(replace(CHUNK, batch=1))
        log.append(End())
    result = cli("export", run.path)
    assert (result.returncode, result.stderr) == (0, "")
    table = rows(result.stdout)
    first = [row for row in table if row["variant"] == 'Comma, "quoted"']
    assert [int(row["batch"]) for row in first] == list(range(1, 10))
    assert [np.float32(row["loss"]) for row in first] == [
        np.float32(1) / np.float32(k) for k in range(1, 10)
    ]
    assert len(table) == 9 + 9 + 4
    assert table[-1]["generation"] == "2"


def test_to_a_file(cli: Cli, make_run: MakeRun, tmp_path: Path) -> None:
    result = cli("export", make_run().path, "-o", tmp_path / "out.csv")
    assert (result.returncode, result.stdout) == (0, "")
    assert len(rows((tmp_path / "out.csv").read_text())) == 12


def test_a_dash_is_stdout(cli: Cli, make_run: MakeRun) -> None:
    run = make_run().path
    assert len(rows(cli("export", run, "-o", "-").stdout)) == 12


def test_a_file_that_cannot_be_written(cli: Cli, make_run: MakeRun, tmp_path: Path) -> None:
    result = cli("export", make_run().path, "-o", tmp_path / "none" / "out.csv")
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1


def test_never_over_the_run_itself(cli: Cli, make_run: MakeRun) -> None:
    run = make_run()
    log = run.variant_log("SGD")
    before = log.read_bytes()
    assert cli("export", run.path, "-o", log).returncode == 2
    assert log.read_bytes() == before


@pytest.mark.parametrize("damage", ["flipped", "cut", "no end", "missing", "foreign"])
def test_what_can_be_read_is_written_and_the_rest_is_said(
    damage: str, cli: Cli, make_run: MakeRun
) -> None:
    run = make_run(epochs=40, is_ended=damage != "no end")
    log = run.variant_log("SGD")
    data = bytearray(log.read_bytes())
    match damage:
        case "flipped":
            data[len(data) // 2] ^= 4
        case "cut":
            del data[len(data) // 2 :]
        case "foreign":
            data[:] = b"something else entirely"
    log.write_bytes(data)
    if damage == "missing":
        log.unlink()
    result = cli("export", run.path)
    table = rows(result.stdout)
    mine = [int(row["batch"]) for row in table if row["variant"] == "SGD"]
    expected = {"flipped": (1, 119), "cut": (1, 119), "no end": (120, 120)}.get(damage, (0, 0))
    assert expected[0] <= len(mine) <= expected[1]
    assert mine == list(range(1, len(mine) + 1))
    assert sum(row["variant"] == "Mini-batch" for row in table) == 120
    assert result.returncode == 1
    said = [line for line in result.stderr.splitlines() if "SGD" in line]
    assert len(said) == 1
    assert {"flipped": "damaged", "cut": "ends early", "no end": "ends early"}.get(
        damage, "log"
    ) in said[0]
    assert "Traceback" not in result.stderr


def test_a_finished_run_is_whole_while_its_host_waits_for_commands(
    cli: Cli, make_run: MakeRun
) -> None:
    run = make_run(is_ended=False)
    with contextlib.ExitStack() as stack:
        for variant in run.info.settings.variants:
            log = stack.enter_context(run.variant_log(variant.name).open("rb"))
            fcntl.flock(log, fcntl.LOCK_EX)
        result = cli("export", run.path)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1+2", "@SUM(A1)", " =1", "＝1"])
@pytest.mark.parametrize("form", [[], ["--measurements"]])
def test_a_spreadsheet_finds_no_formula_where_that_is_asked_for(
    cli: Cli, make_run: MakeRun, name: str, form: list[str]
) -> None:
    run = make_run(names=(name, "SGD"))
    exact, guarded = (
        {row["variant"] for row in rows(cli("export", run.path, *form, *option).stdout)}
        for option in ([], ["--safe-for-spreadsheets"])
    )
    assert exact == {name, "SGD"}
    assert guarded == {f"'{name}", "SGD"}


def test_the_names_of_metrics_are_guarded_too(cli: Cli, make_run: MakeRun) -> None:
    run = make_run()
    measured = Evaluation(
        generation=1, epoch=3, batches=9, updates=9, samples=30, seconds=3.0,
        full_loss=0.5, validation_loss=0.5, metrics={"=HYPERLINK()": -0.5},
    )  # fmt: skip
    with LogWriter(run.variant_log("SGD")) as log:
        log.append(measured)
        log.append(End())
    result = cli("export", run.path, "--measurements", "--safe-for-spreadsheets")
    assert rows(result.stdout)[-1]["'=HYPERLINK()"] == "-0.5"
