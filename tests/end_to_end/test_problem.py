"""A user's problem file through the command line: as the README shows it, and with a mistake."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from terminal import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
Cli = Callable[..., "subprocess.CompletedProcess[str]"]


def readme_example() -> str:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- your own model -->\n```python\n(.*?)```", readme, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_readmes_example_trains_as_pasted(
    cli: Cli, cli_in_process: Cli, tmp_path: Path
) -> None:
    """It takes few lines, has held-out data, and leaves nothing in the run's directory."""
    text = readme_example()
    assert len([line for line in text.splitlines() if line.strip()]) <= 15
    (tmp_path / "net.py").write_text(text)
    run = tmp_path / "run"
    arguments = ("--batch-sizes", "8,64,full", "--lr", "0.1", "--epochs", "2", "--run-dir", run)
    result = cli("train", "--problem", tmp_path / "net.py", *arguments, "--json")
    assert (result.returncode, result.stderr) == (0, "")
    document = json.loads(result.stdout)
    assert document["problem"] == f"{tmp_path / 'net.py'}:problem"
    assert [variant["updates"] for variant in document["variants"]] == [400, 50, 2]
    for variant in document["variants"]:
        gap = variant["validation"]["loss"] - variant["full_loss"]
        assert variant["generalisation_gap"] == gap
        assert variant["peak_memory"] > 10**7
    kinds = {path.suffix for path in run.iterdir() if path.name != "checkpoints"}
    assert kinds == {".gdlog", ".weights", ".out", ".json"}

    rows = cli_in_process("export", run, "--measurements").stdout.splitlines()
    assert rows[0].endswith("seconds,full_loss,validation_loss")
    assert len(rows) == 1 + 3 * 3


def test_a_mistake_is_one_line_and_leaves_nothing_behind(
    cli_in_process: Cli, tmp_path: Path
) -> None:
    (tmp_path / "net.py").write_text("import torch\n\ndef problem():\n    return torch.nosuch\n")
    run = tmp_path / "run"
    result = cli_in_process("train", "--problem", tmp_path / "net.py", "--run-dir", run)
    assert (result.returncode, result.stdout) == (2, "")
    where, _, what = result.stderr.partition(" AttributeError: ")
    assert where == f"gdtui train: {tmp_path / 'net.py'}:4:"
    assert what == "module 'torch' has no attribute 'nosuch'\n"
    assert not run.exists()
    shown = cli_in_process(
        "train", "--problem", tmp_path / "net.py", "--run-dir", run, "--debug"
    ).stderr
    assert shown.startswith("Traceback")
    assert shown.endswith(result.stderr)


def test_defaults_that_are_none_are_a_mistake_in_the_file(
    cli_in_process: Cli, tmp_path: Path
) -> None:
    text = readme_example().replace(
        "cross_entropy,", 'cross_entropy, defaults={"learning_rate": 1},'
    )
    (tmp_path / "net.py").write_text(text)
    run = tmp_path / "run"
    result = cli_in_process("train", "--problem", tmp_path / "net.py", "--run-dir", run)
    assert result.returncode == 2
    assert (
        f"{tmp_path / 'net.py'}: defaults: unknown name 'learning_rate'; choose from batch_sizes, "
        "lr," in result.stderr
    )
    assert not run.exists()


def test_what_is_wrong_with_all_variants_is_told_once(cli_in_process: Cli, tmp_path: Path) -> None:
    text = readme_example().replace(
        "cross_entropy,", "cross_entropy, optimizer=lambda params, lr: 1 / 0,"
    )
    (tmp_path / "net.py").write_text(text)
    run = tmp_path / "run"
    result = cli_in_process(
        "train", "--problem", tmp_path / "net.py", "--batch-sizes", "8,full", "--run-dir", run
    )
    line = 1 + text[: text.index("1 / 0")].count("\n")
    assert result.returncode == 1
    assert result.stderr == (
        f"gdtui train: Mini-batch, Batch GD: failed: net.py:{line}: ZeroDivisionError: division by "
        "zero\n"
    )


def test_one_killed_over_its_last_batch_is_reported_as_stopped(
    cli_env: dict[str, str], temporary: Path, tmp_path: Path
) -> None:
    """Ctrl+C while a batch takes longer than anyone waits for."""
    begun, run = tmp_path / "begun", tmp_path / "run"
    waiting = f"""

def slow(output, y):
    if len(y) > 8 and output.requires_grad:
        open({str(begun)!r}, "w")
        import time
        time.sleep(60)
    return nn.functional.cross_entropy(output, y)
"""
    text = readme_example().replace("loss=nn.functional.cross_entropy", "loss=slow")
    (tmp_path / "net.py").write_text(text + waiting)
    options = ("--json", "--batch-sizes", "full", "--run-dir", str(run))
    train = ended_once(tmp_path, begun, signal.SIGINT, cli_env, *options)
    assert train.returncode == 130
    assert [variant["state"] for variant in json.loads(train.stdout)["variants"]] == ["stopped"]
    until(lambda: not list(temporary.glob("gdtui-*")))


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_it_loads_leaves_nothing_behind(
    number: signal.Signals, status: int, cli_env: dict[str, str], temporary: Path, tmp_path: Path
) -> None:
    begun, run = tmp_path / "begun", tmp_path / "run"
    (tmp_path / "net.py").write_text(f"open({str(begun)!r}, 'w')\nimport time\ntime.sleep(1000)\n")
    train = ended_once(tmp_path, begun, number, cli_env, "--run-dir", str(run))
    assert (train.returncode, train.stderr) == (status, "")
    assert not run.exists()
    until(lambda: not list(temporary.glob("gdtui-*")))


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ended_once(
    folder: Path, begun: Path, number: signal.Signals, env: dict[str, str], *options: str
) -> "subprocess.CompletedProcess[str]":
    """`gdtui train` on net.py, ended by that signal once the problem has made the file `begun`."""
    arguments = [sys.executable, "-m", "gdtui", "train", "--problem", "net.py", *options]
    train = subprocess.Popen(
        arguments, env=env, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        while not begun.exists():
            assert train.poll() is None
            time.sleep(0.02)
        train.send_signal(number)
        output, errors = train.communicate(timeout=300)
    finally:
        train.kill()
    return subprocess.CompletedProcess(arguments, train.returncode, output, errors)


def test_what_is_left_of_one_killed_while_it_loads_is_no_run_and_can_be_removed(
    cli_in_process: Cli, cli_env: dict[str, str], temporary: Path, tmp_path: Path
) -> None:
    begun, root = tmp_path / "begun", tmp_path / "state" / "gdtui" / "runs"
    (tmp_path / "net.py").write_text(f"open({str(begun)!r}, 'w')\nimport time\ntime.sleep(1000)\n")
    assert ended_once(tmp_path, begun, signal.SIGKILL, cli_env).returncode == -signal.SIGKILL
    until(lambda: not list(temporary.glob("gdtui-*")))
    (left,) = root.iterdir()
    assert "never began" in cli_in_process("runs").stdout
    assert "killed" in cli_in_process("export", left).stderr
    assert cli_in_process("runs", "--prune", "--yes").stdout.startswith("removed 1 run,")
    assert list(root.iterdir()) == []
