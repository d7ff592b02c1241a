"""A run read into Python holds what its export holds, and says what is missing."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import gdtui
from engine.log.directory import RunDirectory
from engine.log.records import Chunk, End, Started, State
from engine.log.writing.writer import LogWriter
from engine.settings import VariantSettings
from gdtui.api.run import Run
from gdtui.export.csv_export import COLUMNS, export, export_measurements

STORED = Path(__file__).resolve().parents[2] / "stored_runs" / "format-1"
MakeRun = Callable[..., RunDirectory]


def exported(run: Run, what: Callable = export) -> list[dict[str, str]]:
    output = io.BytesIO()
    list(what(run.directory, output))
    return list(csv.DictReader(output.getvalue().decode().splitlines()))


def as_written(name: str, values: np.ndarray) -> list[str]:
    """A column as the export writes it."""
    if name == "seconds":
        return [f"{value:.9f}" for value in values]
    return [str(value) for value in values]


def check_equals_export(run: Run) -> None:
    rows, columns = exported(run), run.columns()
    assert tuple(columns) == COLUMNS
    for name, values in columns.items():
        assert as_written(name, values) == [row[name] for row in rows], name
    for variant in run.variants.values():
        for number, generation in variant.generations.items():
            mine = [
                r for r in rows if (r["variant"], r["generation"]) == (variant.name, str(number))
            ]
            assert as_written("loss", generation.losses) == [row["loss"] for row in mine]
            assert len(generation.batches) == len(mine)


def accumulated(run: RunDirectory, name: str, generation: int) -> None:
    """Two more chunks, three batches an update: the second starts within one, ends short."""
    settings = VariantSettings(batch_size=10, accumulation_steps=3, lr=0.1)
    begun = Started(
        generation=generation, settings=settings, n=47, model="m", parameters=1, device="cpu",
        threads=1, epochs=1, pace=None,
    )  # fmt: skip
    common = {
        "generation": generation,
        "epoch": 1,
        "batch_size": 10,
        "accumulation_steps": 3,
        "lr": 0.1 + 0.2,
    }
    first = Chunk(
        **common, batch=1, update=1, in_update=0, samples=0, seconds=0.0, duration=0.3,
        last_batch_size=10, losses=np.array([1 / 3, 1e-12], "<f4").tobytes(),
    )  # fmt: skip
    last = Chunk(
        **common, batch=3, update=1, in_update=2, samples=20, seconds=0.3, duration=0.7,
        last_batch_size=7, losses=np.array([0.1, np.nan, np.inf], "<f4").tobytes(),
    )  # fmt: skip
    with LogWriter(run.variant_log(name)) as log:
        for record in (begun, first, last, End()):
            log.append(record)


# --- Arrays ---------------------------------------------------------------------------------------


def test_a_stored_run_equals_its_export() -> None:
    run = gdtui.open_run(STORED)
    check_equals_export(run)
    assert {name: list(each.generations) for name, each in run.variants.items()} == {
        "Batch GD": [1, 2],
        "Mini-batch": [1],
        "SGD": [1],
    }
    assert run.incomplete == {}
    with STORED.with_suffix(".csv").open() as file:
        losses = [np.float32(row["loss"]) for row in csv.DictReader(file)]
    assert run.columns()["loss"].tolist() == losses


def test_accumulation_short_batches_and_generations(make_run: MakeRun) -> None:
    made = make_run(names=('Comma, "quoted"', "SGD"), epochs=3)
    accumulated(made, "SGD", generation=2)
    run = gdtui.open_run(made.path)
    check_equals_export(run)
    first, second = run.variants["SGD"].generations.values()
    assert run.variants["SGD"].latest is second
    assert first.batches.batch_size.tolist() == [4, 4, 2] * 3
    assert second.batches.update.tolist() == [1, 1, 1, 2, 2]
    assert second.batches.samples.tolist() == [0, 10, 20, 30, 40]
    assert second.batches.batch_size.tolist() == [10, 10, 10, 10, 7]
    assert second.settings == VariantSettings(batch_size=10, accumulation_steps=3, lr=0.1)
    types = {name: values.dtype for name, values in run.columns().items()}
    assert types["loss"] == np.float32
    assert {types[name] for name in ("batch", "update", "epoch", "samples", "batch_size")} == {
        np.dtype("i8")
    }
    assert {types[name] for name in ("seconds", "lr")} == {np.dtype("f8")}


def test_whole_epochs_in_one_record(make_run: MakeRun) -> None:
    made = make_run()
    accumulated(made, "SGD", generation=2)
    three = Chunk(
        generation=2, epoch=2, epochs=3, batch=6, update=3, in_update=0, samples=47, seconds=1.0,
        duration=1.5, batch_size=20, last_batch_size=7, accumulation_steps=2, lr=0.1,
        losses=np.arange(9, dtype="<f4").tobytes(),
    )  # fmt: skip
    with LogWriter(made.variant_log("SGD")) as log:
        log.append(three)
    run = gdtui.open_run(made.path)
    check_equals_export(run)
    batches = run.variants["SGD"].generations[2].batches
    assert batches.epoch[5:].tolist() == [2, 2, 2, 3, 3, 3, 4, 4, 4]
    assert batches.update[5:].tolist() == [3, 3, 4, 5, 5, 6, 7, 7, 8]
    assert batches.samples[5:].tolist() == [47, 67, 87, 94, 114, 134, 141, 161, 181]
    assert batches.batch_size[5:].tolist() == [20, 20, 7] * 3
    assert batches.loss[5:].tolist() == list(range(9))


def test_a_run_without_a_batch_has_empty_columns(make_run: MakeRun) -> None:
    made = make_run()
    for log in made.info.logs:
        (made.path / log).unlink()
    run = gdtui.open_run(made.path)
    assert {name: values.shape for name, values in run.columns().items()} == dict.fromkeys(
        COLUMNS, (0,)
    )
    assert list(run.incomplete) == list(run.variants) == ["Mini-batch", "SGD"]


# --- Records --------------------------------------------------------------------------------------


def test_settings_evaluations_and_measurements_of_a_stored_run() -> None:
    run = gdtui.open_run(STORED)
    assert (run.path, run.settings.problem) == (STORED, "synthetic")
    assert run.created == run.directory.info.created
    rows = exported(run, export_measurements)
    for variant in run.variants.values():
        assert variant.state is State.FINISHED
        mine = [row for row in rows if row["variant"] == variant.name]
        found = [
            each for generation in variant.generations.values() for each in generation.evaluations
        ]
        assert [repr(each.full_loss) for each in found] == [row["full_loss"] for row in mine]
    changed = [change for each in run.variants.values() for change in each.latest.changes]
    assert any(change.settings.momentum == 0.9 for change in changed)
    measured = [each for variant in run.variants.values() for each in variant.latest.measurements]
    assert any(each.noise is not None for each in measured)
    assert any(each.sharpness is not None for each in measured)


# --- What is missing ------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["flipped", "cut", "no end", "missing", "foreign"])
def test_all_before_the_damage_is_there_and_it_is_said(damage: str, make_run: MakeRun) -> None:
    made = make_run(epochs=40, is_ended=damage != "no end")
    log = made.variant_log("SGD")
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
    run = gdtui.open_run(made.path)
    check_equals_export(run)
    said = {
        "flipped": "damaged",
        "cut": "ends early",
        "no end": "still training",
        "foreign": "not a gdtui log",
    }
    assert said.get(damage, "no log") in run.incomplete["SGD"]
    assert list(run.incomplete) == (["Mini-batch", "SGD"] if damage == "no end" else ["SGD"])
    lost = damage in ("missing", "foreign")
    assert list(run.variants["SGD"].generations) == ([] if lost else [1])
    assert (len(run.variants["SGD"].latest.losses) == 0) is lost


def test_opened_again_a_run_has_what_was_trained_since(make_run: MakeRun) -> None:
    made = make_run(is_ended=False)
    before = gdtui.open_run(made.path)
    accumulated(made, "SGD", generation=2)
    assert len(before.columns()["loss"]) == 12
    assert len(gdtui.open_run(made.path).columns()["loss"]) == 17


# --- Which run ------------------------------------------------------------------------------------


def test_a_run_is_named_as_a_text_a_path_or_as_gdtui_runs_lists_it(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    stored = make_run(tmp_path / "gdtui" / "runs" / "20261128-101500").path
    for name in (stored, str(stored), "20261128-101500", "~/gdtui/runs/20261128-101500"):
        assert gdtui.open_run(name).path == stored


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "holds no run"),
        ("{", "is damaged"),
        ('{"format": 99}', r"a later gdtui \(format 99\)"),
    ],
)
def test_what_is_no_run_is_said(content: str | None, said: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(gdtui.RunDirectoryError, match=said):
        gdtui.open_run(tmp_path)
    with pytest.raises(gdtui.RunDirectoryError, match="holds no run"):
        gdtui.open_run(str(tmp_path / "nowhere"))
