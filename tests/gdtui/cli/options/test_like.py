"""`--like RUN`: the same run again, what is typed on top; or one sentence that says why not."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import msgspec
import pytest
from command_lines import context

from engine.log.directory import RunDirectory
from engine.settings import (
    Compilation,
    DataSettings,
    LrScaling,
    RunSettings,
    SettingsError,
    Variant,
    VariantSettings,
)
from engine.sweep.directory import SweepDirectory
from gdtui.cli.command import explain
from gdtui.cli.main import main
from gdtui.cli.options.data import read_data
from gdtui.cli.options.like import take_settings
from gdtui.cli.options.settings import read_options

Cli = Callable[..., "subprocess.CompletedProcess[str]"]

BIG = VariantSettings(
    batch_size=512, lr=0.3, base_batch=128, lr_scaling=LrScaling.SQRT, momentum=0.9, drop_last=True
)
SMALL = VariantSettings(
    batch_size=64,
    lr=0.1,
    base_batch=128,
    lr_scaling=LrScaling.SQRT,
    accumulation_steps=8,
    momentum=0.9,
    optimizer="adam",
    drop_last=True,
)
EVERYTHING = RunSettings(
    variants=(Variant(name="big", settings=BIG), Variant(name="small", settings=SMALL)),
    problem="table",
    data=DataSettings(
        path="/data/t.csv",
        target="y",
        model="mlp:8",
        validation=0.3,
        leave_out=("a", "b,c"),
        as_text=("d",),
        drop_missing_target=True,
        encoding="cp1252",
        decimal=",",
    ),
    epochs=7,
    pace=3.0,
    seed=11,
    device="cpu",
    threads=2,
    micro_batch=16,
    loader_workers=1,
    compile=Compilation.ON,
    validate_every=5,
    measuring=False,
)
SYNTHETIC = msgspec.structs.replace(EVERYTHING, problem="synthetic", data=None)


def stored(path: Path, settings: RunSettings) -> Path:
    return RunDirectory.create(path, settings, "0").path


def read(line: str, run: Path) -> RunSettings:
    """The settings of `gdtui LINE`, RUN being the run."""
    ctx = context([(word == "RUN" and str(run)) or word for word in line.split()])
    take_settings(ctx)
    return read_options(ctx).settings


@pytest.mark.parametrize("settings", [EVERYTHING, SYNTHETIC])
@pytest.mark.parametrize("command", ["", "train"])
def test_the_settings_are_the_runs_but_for_its_pace(
    command: str, settings: RunSettings, tmp_path: Path
) -> None:
    again = read(f"{command} --like RUN", stored(tmp_path / "run", settings))
    assert again == msgspec.structs.replace(settings, pace=None if command else 1.0)


def test_of_a_sweep_all_arms_are_taken(tmp_path: Path) -> None:
    sweep = SweepDirectory.create(tmp_path / "sweep", SYNTHETIC, "0").path
    again = read("train --like RUN", sweep)
    assert again == msgspec.structs.replace(SYNTHETIC, pace=None)


def test_a_run_is_found_by_its_name_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    stored(tmp_path / "gdtui" / "runs" / "20260101-000000", SYNTHETIC)
    assert read("train --like RUN", Path("20260101-000000")).seed == 11


def test_what_is_typed_goes_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = stored(tmp_path / "run", SYNTHETIC)
    monkeypatch.setenv("GDTUI_SEED", "5")
    again = read("train --epochs 2 --lr 1 --names a,b --like RUN --threads 4", run)
    assert (again.epochs, again.threads, again.seed) == (2, 4, 5)
    assert [each.settings.lr for each in again.variants] == [1.0, 1.0]
    assert [each.name for each in again.variants] == ["a", "b"]
    assert [each.settings.batch_size for each in again.variants] == [512, 64]


def test_it_goes_before_the_configuration_file(tmp_path: Path) -> None:
    run = stored(tmp_path / "run", SYNTHETIC)
    config = tmp_path / "config.toml"
    config.write_text("epochs = 3\npace = 9\nlr = 5\n")
    again = read(f"train --config {config} --like RUN", run)
    assert (again.epochs, again.pace) == (7, 9.0)
    assert [each.settings.lr for each in again.variants] == [0.3, 0.1]


def test_other_batch_sizes_take_what_all_variants_agree_on(tmp_path: Path) -> None:
    variants = (Variant(name="A", settings=SMALL), Variant(name="B", settings=SMALL))
    settings = msgspec.structs.replace(SYNTHETIC, variants=variants)
    again = read("train --batch-sizes 8,16,32 --like RUN", stored(tmp_path / "run", settings))
    assert [each.settings.accumulation_steps for each in again.variants] == [8, 8, 8]
    assert [each.name for each in again.variants] == [f"Mini-batch {size}" for size in (8, 16, 32)]


def test_as_many_other_batch_sizes_keep_a_value_each(tmp_path: Path) -> None:
    again = read("train --batch-sizes 8,16 --like RUN", stored(tmp_path / "run", SYNTHETIC))
    assert [each.settings.lr for each in again.variants] == [0.3, 0.1]


def test_values_that_differ_do_not_fit_another_number_of_variants(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--lr: 2 values for 1 variant"):
        read("train --batch-sizes 8 --like RUN", stored(tmp_path / "run", SYNTHETIC))
    assert read("train --batch-sizes 8 --lr 1 --accumulation 1 --optimizer sgd --like RUN",
                tmp_path / "run").variants[0].settings.momentum == 0.9  # fmt: skip


def test_a_sweep_keeps_its_own_batch_sizes_and_length(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(EVERYTHING, variants=EVERYTHING.variants[1:])
    again = read("sweep --like RUN", stored(tmp_path / "run", settings))
    assert [each.settings.batch_size for each in again.variants] == [1, 32, 128, 512, "full"]
    assert again.epochs == 5
    assert {each.settings.optimizer for each in again.variants} == {"adam"}
    assert {each.settings.accumulation_steps for each in again.variants} == {1}
    assert (again.data, again.seed) == (EVERYTHING.data, 11)
    assert read("sweep --epochs 9 --like RUN", tmp_path / "run").epochs == 9


# --- Its problem ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "line", "problem", "path", "notes"),
    [
        (EVERYTHING, "", "table", "/data/t.csv", 0),
        (EVERYTHING, "--data /new.csv", "table", "/new.csv", 0),
        (EVERYTHING, "--problem table", "table", "/data/t.csv", 0),
        (EVERYTHING, "--problem digits", "digits", None, 1),
        (SYNTHETIC, "--problem digits", "digits", None, 1),
        (SYNTHETIC, "--problem synthetic", "synthetic", None, 0),
        (SYNTHETIC, "--data /new.npz", "arrays", "/new.npz", 1),
    ],
)
def test_another_problem_is_trained_with_its_settings_and_said(
    settings: RunSettings, line: str, problem: str, path: str | None, notes: int, tmp_path: Path
) -> None:
    run = stored(tmp_path / "run", settings)
    ctx = context(f"train {line} --like {run}")
    assert len(take_settings(ctx)) == notes
    name, data = read_data(ctx.params)
    assert (name, data and data.path) == (problem, path)
    assert ctx.params["epochs"] == 7
    if data is not None and path == "/new.csv":
        assert (data.target, data.model, data.validation) == ("y", "mlp:8", 0.3)


# --- Runs that cannot be taken --------------------------------------------------------------------


def complaint(line: str) -> str:
    with pytest.raises(click.UsageError) as error:
        take_settings(context(line))
    return explain(error.value)


def test_a_file_that_only_the_run_names_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else may have sent the run."""
    monkeypatch.chdir(tmp_path)
    settings = msgspec.structs.replace(SYNTHETIC, problem=f"{tmp_path}/its net.py:problem")
    run = stored(tmp_path / "run", settings)
    said = complaint(f"train --like {run}")
    assert said.endswith(f"run only if you name it: add --problem '{settings.problem}'")
    for typed in (settings.problem, "its net.py", f"{tmp_path}/its net.py"):
        ctx = context(["train", "--problem", typed, "--like", str(run)])
        assert take_settings(ctx) == ()
        assert read_data(ctx.params) == (settings.problem, None)
        assert ctx.params["epochs"] == 7


def test_a_run_that_is_none_or_damaged_is_one_sentence(tmp_path: Path) -> None:
    assert "--like: /nowhere holds no run" in complaint("train --like /nowhere")
    assert "--like: " in complaint(f"--like {tmp_path}")
    run = stored(tmp_path / "run", SYNTHETIC)
    (run / "run.json").write_text("{")
    assert "--like: " in complaint(f"train --like {run}")
    assert "damaged" in complaint(f"sweep --like {run}")


def test_an_imported_run_has_no_settings(cli: Cli, tmp_path: Path) -> None:
    cli("import", "-", tmp_path / "run", text_in="variant,batch,loss\na,1,1\n")
    said = complaint(f"train --like {tmp_path / 'run'}")
    assert said.startswith(f"gdtui train: --like: {tmp_path / 'run'} was imported")


def test_variants_that_no_command_line_can_describe_are_refused(tmp_path: Path) -> None:
    other = msgspec.structs.replace(BIG, base_batch=1)
    variants = (Variant(name="A", settings=BIG), Variant(name="B", settings=other))
    run = stored(tmp_path / "run", msgspec.structs.replace(SYNTHETIC, variants=variants))
    assert "the variants differ in base_batch" in complaint(f"train --like {run}")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("train --batch-sizes 8 --like RUN", "(set by --like)"),
        ("train --like RUN --target y", "--target requires --data FILE"),
        ("train --like /nowhere", "holds no run"),
    ],
)
def test_settings_that_do_not_fit_are_one_line(
    line: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = stored(tmp_path / "run", SYNTHETIC)
    assert main(line.replace("RUN", str(run)).split()) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert said in err


def test_the_same_run_again_has_the_same_losses(cli_in_process: Cli, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    cli_in_process(
        "train", "--batch-sizes", "512,64", "--epochs", "1", "--seed", "3", "--run-dir", first
    )
    result = cli_in_process("train", "--like", first, "--run-dir", second)
    assert (result.returncode, result.stderr) == (0, "")
    losses = [
        [line.rpartition(",")[2] for line in cli_in_process("export", run).stdout.splitlines()]
        for run in (first, second)
    ]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 1 + 4 + 32
