"""Training without a screen, as others' scripts meet it: processes, exit statuses, JSON and CSV."""

import csv
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from in_process import run_in_process
from terminal import Terminal

from engine.checkpoint.store import CheckpointStore
from engine.log.directory import RunDirectory
from engine.log.follow import Follower
from engine.log.records import Chunk
from gdtui.state.stored_runs import is_running

ROOT = Path(__file__).resolve().parents[2]
Cli = Callable[..., "subprocess.CompletedProcess[str]"]

FIELDS = [
    *(
        "name",
        "batch_size",
        "lr",
        "lr_scaling",
        "optimizer",
        "momentum",
        "schedule",
        "warmup",
        "clip",
        "clipped_share",
        "precision",
        "batch_warmup",
        "skipped_updates",
        "accumulation_steps",
        "is_big_batch",
        "epochs",
        "batches",
        "updates",
        "samples",
    ),
    *(
        "epoch_losses",
        "epoch_losses_at",
        "final_loss",
        "sigma",
        "std",
        "variance",
        "full_loss",
        "growth",
        "is_diverging",
        "validation",
        "generalisation_gap",
    ),
    *("device", "peak_memory", "compiled", "not_compiled", "batch_milliseconds"),
    *("noise_scale", "noise_scale_interval", "signal_to_noise", "signal_to_noise_interval"),
    *("gradients_not_finite", "sharpness", "measured_at"),
    *("seconds", "generation", "origin", "is_removed", "state", "failure"),
]


def environment(state: Path) -> dict[str, str]:
    """That of a program that keeps its runs there, and reports no progress on a slow machine.

    Limits on the size of files would leave it, and others after it, with half a .pyc.
    """
    ours = {"XDG_STATE_HOME": str(state), "PYTHONPATH": str(ROOT), "GDTUI_QUIET": "1"}
    return {**os.environ, **ours, "PYTHONDONTWRITEBYTECODE": "1"}


@contextmanager
def training(run: Path, *options: str, **how: Any) -> "Iterator[subprocess.Popen[str]]":
    """`gdtui train --json` into that directory, its output to be read; ended with the block."""
    train = subprocess.Popen(
        [sys.executable, "-m", "gdtui", "train", "--json", "--run-dir", run, *options],
        env=environment(run.parent),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **how,
    )
    try:
        yield train
    finally:
        train.kill()


def gdtui(state: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "gdtui", *map(str, arguments)],
        env=environment(state),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def document(state: Path) -> dict[str, Any]:
    """The document that the plain `gdtui train --json` prints, but for the epochs."""
    result = gdtui(state, "train", "--json", "--epochs", "5")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


MIXED = {
    "one": {"batch-sizes": "512"},
    "many": {"accumulation": "8"},
    "bad": {"batch-sizes": "1", "lr": "1e38"},
    "good": {"batch-sizes": "32"},
    "linear": {"batch-sizes": "full", "lr-scaling": "linear"},
    "sqrt": {"batch-sizes": "256", "lr-scaling": "sqrt"},
    "still": {"lr": "1e-12"},
    "still too": {"batch-sizes": "full", "lr": "1e-12"},
    "away": {"lr": "1e9"},
}
"""Variants with settings of their own, of which the rest is the following."""
REST = {"batch-sizes": "64", "accumulation": "1", "lr": "0.01", "lr-scaling": "none"}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The variants above in the document of one run, by name."""
    words = ["--names", ",".join(MIXED), "--epochs", "5", "--device", "cpu"]
    for option, usual in REST.items():
        words += [f"--{option}", ",".join(own.get(option, usual) for own in MIXED.values())]
    result = run_in_process(
        environment(tmp_path_factory.mktemp("mixed")), "train", "--json", *words
    )
    assert result.returncode == 0, result.stderr
    (line,) = result.stderr.splitlines()
    assert "away: finished, but with a loss " in line
    return {variant["name"]: variant for variant in json.loads(result.stdout)["variants"]}


def test_the_document_has_exactly_what_scripts_rely_on(
    document: dict[str, Any], state: Path
) -> None:
    assert list(document) == ["run_dir", "problem", "seed", "device", "variants", "data", "remarks"]
    assert Path(document["run_dir"]).parent == state / "gdtui" / "runs"
    assert (document["problem"], document["seed"]) == ("synthetic", 0)
    for variant in document["variants"]:
        assert list(variant) == FIELDS


def test_all_three_train_to_the_end(document: dict[str, Any]) -> None:
    variants = document["variants"]
    assert [variant["state"] for variant in variants] == ["finished"] * 3
    assert [variant["batches"] for variant in variants] == [5, 160, 10_000]
    assert [variant["updates"] for variant in variants] == [5, 160, 10_000]
    assert [variant["samples"] for variant in variants] == [10_000] * 3
    assert [variant["batch_size"] for variant in variants] == [2000, 64, 1]
    assert [len(variant["epoch_losses"]) for variant in variants] == [5] * 3


def test_figures_follow_from_the_epoch_losses(document: dict[str, Any]) -> None:
    for variant in document["variants"]:
        losses = variant["epoch_losses"]
        mean = sum(losses) / len(losses)
        variance = sum((loss - mean) ** 2 for loss in losses) / len(losses)
        assert variant["final_loss"] == losses[-1]
        assert variant["variance"] == pytest.approx(variance)
        assert variant["std"] == pytest.approx(variance**0.5)
    full, mini, sgd = (variant["sigma"] for variant in document["variants"])
    assert full is None
    assert sgd > 3 * mini > 0  # the noise that std hides


def test_export_has_every_batch_once_and_in_order(document: dict[str, Any], state: Path) -> None:
    result = run_in_process(environment(state), "export", document["run_dir"])
    assert (result.returncode, result.stderr) == (0, "")
    batches = defaultdict(list)
    sums: dict[tuple[str, int], list[float]] = defaultdict(list)
    for row in csv.DictReader(result.stdout.splitlines()):
        batches[row["variant"]].append(int(row["batch"]))
        sums[row["variant"], int(row["epoch"])].append(float(row["loss"]))
    assert {name: len(numbers) for name, numbers in batches.items()} == {
        "Batch GD": 5,
        "Mini-batch": 160,
        "SGD": 10_000,
    }
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in batches.values())
    for variant in document["variants"]:
        means = [
            sum(losses) / len(losses)
            for (name, _), losses in sums.items()
            if name == variant["name"]
        ]
        assert means == pytest.approx(variant["epoch_losses"], rel=1e-6)


def test_the_run_is_listed_as_finished(document: dict[str, Any], state: Path) -> None:
    (run,) = json.loads(run_in_process(environment(state), "runs", "--json").stdout)["runs"]
    assert run["run_dir"] == document["run_dir"]
    assert run["state"] == "finished"


def test_accumulation_equals_the_bigger_batch(mixed: dict[str, dict[str, Any]]) -> None:
    one, many = mixed["one"], mixed["many"]
    assert one["updates"] == many["updates"] == 5 * 4
    assert many["batches"] == 5 * 32
    assert many["full_loss"] == pytest.approx(one["full_loss"], abs=1e-5)


def test_a_vanishing_lr_leaves_all_where_they_started(mixed: dict[str, dict[str, Any]]) -> None:
    gap = mixed["still"]["full_loss"] - mixed["still too"]["full_loss"]
    assert abs(gap) < 1e-6


def test_lr_is_the_one_in_force(mixed: dict[str, dict[str, Any]]) -> None:
    assert mixed["linear"]["lr"] == pytest.approx(0.01 * 2000 / 64)
    assert mixed["sqrt"]["lr"] == pytest.approx(0.01 * 2)
    assert mixed["good"]["lr"] == 0.01


def test_divergence_is_a_result(mixed: dict[str, dict[str, Any]]) -> None:
    assert (mixed["bad"]["state"], mixed["good"]["state"]) == ("diverged", "finished")
    assert mixed["bad"]["full_loss"] is None
    assert mixed["good"]["batches"] == 5 * 63


def test_a_loss_that_ran_away_but_stayed_finite_is_not_plainly_finished(
    cli_in_process: Cli, mixed: dict[str, dict[str, Any]]
) -> None:
    line = ["train", "--batch-sizes", "64", "--lr", "1e9", "--epochs", "2", "--device", "cpu"]
    result = cli_in_process(*line)
    assert result.returncode == 0
    assert "finished, diverging" in result.stdout
    assert "Mini-batch: finished, but with a loss " in result.stderr
    assert "× that at its start" in result.stderr
    assert (mixed["away"]["state"], mixed["away"]["is_diverging"]) == ("finished", True)
    assert mixed["away"]["growth"] > 1e6


def test_the_table_when_nobody_asks_for_json(cli_in_process: Cli) -> None:
    result = cli_in_process("train", "--batch-sizes", "full,4000", "--epochs", "2")
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert any(line.startswith("Batch GD") and line.endswith("finished") for line in lines)
    assert "noise σ" in result.stdout
    assert "variance" not in result.stdout  # the drift of the epochs' means is no noise
    assert result.stderr.count("\n") == 1
    assert "4,000" in result.stderr
    assert "\x1b" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("wrong", "allowed"),
    [(["--device", "cuda:99"], "cpu"), (["--optimizer", "sgd,adm,sgd"], "adam")],
)
def test_what_only_a_worker_can_tell_is_a_wrong_call_too(
    wrong: list[str], allowed: str, cli_in_process: Cli, tmp_path: Path
) -> None:
    result = cli_in_process("train", "--run-dir", tmp_path / "run", *wrong)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert allowed in result.stderr
    assert not (tmp_path / "run").exists()  # the corrected call may use it


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_in_order(number: signal.Signals, status: int, tmp_path: Path) -> None:
    path = tmp_path / "run"
    how = {"start_new_session": True, "preexec_fn": _as_in_a_terminal}
    with training(path, "--pace", "0.5", "--epochs", "10000", **how) as train:
        run = _once_all_train(path)
        os.killpg(train.pid, signal.SIGUSR1)  # to all processes, as a job scheduler may
        os.killpg(train.pid, number)
        output, errors = train.communicate(timeout=300)
    assert (train.returncode, errors) == (status, "")
    variants = json.loads(output)["variants"]
    assert {variant["state"] for variant in variants} == {"stopped"}
    assert all(variant["batches"] > 0 for variant in variants)
    assert not is_running(run)  # each worker holds its log for as long as it lives
    follower = Follower(run)
    assert sum(record.batches for _, record in follower.read() if isinstance(record, Chunk)) == sum(
        variant["batches"] for variant in variants
    )
    assert follower.unfinished() == []
    for variant in variants:
        last = CheckpointStore(run.variant_log(variant["name"])).stored()[-1]
        assert last.batches == variant["batches"]


def test_a_killed_worker_is_a_failure_and_the_others_go_on(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with training(path, "--pace", "1", "--epochs", "3") as train:
        run = _once_all_train(path)
        os.kill(_holder_of(run.variant_log("SGD")), signal.SIGKILL)
        output, errors = train.communicate(timeout=300)
    assert train.returncode == 1
    assert "SGD: died" in errors
    states = {variant["name"]: variant["state"] for variant in json.loads(output)["variants"]}
    assert states == {"Batch GD": "finished", "Mini-batch": "finished", "SGD": "died"}


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs prlimit")
def test_a_limit_while_a_problem_loads_is_told_with_its_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=np.ones((5000, 8), "f4"), y=np.arange(5000) % 2)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))

    options = ("--data", str(tmp_path / "a.npz"))
    with training(tmp_path / "run", *options, preexec_fn=limit) as train:
        _, errors = train.communicate(timeout=300)
    assert train.returncode == 2
    assert "cannot store the data" in errors
    assert "the limit on the size of a file is reached (ulimit -f, 0.0 MiB)" in errors
    assert not (tmp_path / "run").exists()


def test_on_a_terminal_it_waits_until_told_otherwise(tmp_path: Path) -> None:
    command = f"ulimit -S -f 40; exec {sys.executable} -m gdtui train --batch-sizes 1"
    command += f" --epochs 100000 --run-dir {tmp_path / 'run'}"
    with Terminal(["sh", "-c", command], env=environment(tmp_path)) as terminal:
        terminal.wait_for("and it continues by itself")
        assert not terminal.has_ended
        terminal.send("\x03")
        assert terminal.wait() == 130


def test_without_a_terminal_a_log_that_cannot_be_written_is_the_end(tmp_path: Path) -> None:
    path = tmp_path / "run"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))

    with training(path, "--batch-sizes", "1", "--epochs", "100000", preexec_fn=limit) as train:
        output, errors = train.communicate(timeout=300)
    assert train.returncode == 1
    assert "the limit on the size of a file is reached" in errors
    (variant,) = json.loads(output)["variants"]
    safe = f"Safe in {path}: SGD to batch {variant['batches']:,}\n"
    assert safe in errors
    table = run_in_process(environment(tmp_path), "export", path)
    assert len(table.stdout.splitlines()) == variant["batches"] + 1
    assert variant["batches"] > 100  # a busy machine writes short chunks


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs prlimit")
def test_a_log_that_cannot_be_written_waits_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))

    options = ("--batch-sizes", "1", "--epochs", "3", "--on-full", "wait")
    with training(path, *options, preexec_fn=limit) as train:
        assert train.stderr is not None
        first = train.stderr.readline()
        assert "the limit on the size of a file is reached (ulimit -f, 0.0 MiB)" in first
        assert "prlimit --pid" in first
        assert train.poll() is None
        worker = _holder_of(RunDirectory.open(path).variant_log("SGD"))
        resource.prlimit(
            worker, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        )
        output, _ = train.communicate(timeout=300)
    assert train.returncode == 0
    (variant,) = json.loads(output)["variants"]
    assert (variant["state"], variant["batches"]) == ("finished", 6_000)
    table = run_in_process(environment(tmp_path), "export", path)
    assert table.returncode == 0
    assert table.stdout.count("\n") == 1 + 6_000


def _as_in_a_terminal() -> None:
    """A test run in the background ignores SIGINT, under nohup SIGHUP.

    What it starts would, too.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _once_all_train(path: Path) -> RunDirectory:
    """Wait until every variant has trained a batch."""
    while not (path / "run.json").exists() or not (path / "run.json").read_bytes().endswith(b"}"):
        time.sleep(0.02)
    run = RunDirectory.open(path)
    follower = Follower(run)
    training: set[str] = set()
    while len(training) < len(run.info.settings.variants):
        training |= {name for name, record in follower.read() if isinstance(record, Chunk)}
        time.sleep(0.02)
    return run


def _holder_of(log: Path) -> int:
    """The process that has this log open."""
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            try:
                if log in [file.readlink() for file in (process / "fd").iterdir()]:
                    return int(process.name)
            except OSError:
                continue
    pytest.skip("needs /proc")
