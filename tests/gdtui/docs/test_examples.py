"""Examples of README and pages: every command parses, the quick ones and all Python run."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_lines import context
from pages import ALL, DOCS, README, code_blocks, commands

from engine.log.directory import RunDirectory
from gdtui.api.run import open_run
from gdtui.cli.main import main
from gdtui.cli.program import COMMANDS

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
MakeRun = Callable[..., RunDirectory]
Words = tuple[str, ...]

EXAMPLES = sorted({words for page in ALL for words in commands(page)})
TRAINED_ANYWAY = {"--epochs", "--run-dir"}
"""Options that the test below gives by itself."""
QUICK = [("config",), ("docs",), ("problems",), ("runs",), ("export",), ("import",), ("verify",)]


def is_subcommand(words: Words) -> bool:
    return bool(words) and words[0] in COMMANDS


def shown(words: Words) -> str:
    return " ".join(("gdtui", *words))


def test_there_are_examples_of_every_command() -> None:
    assert {words[0] for words in EXAMPLES if is_subcommand(words)} >= {*COMMANDS} - {"docs"}


@pytest.mark.parametrize("words", [each for each in EXAMPLES if is_subcommand(each)], ids=shown)
def test_subcommands_are_understood(words: Words) -> None:
    context(words)


@pytest.mark.parametrize("words", [each for each in EXAMPLES if not is_subcommand(each)], ids=shown)
def test_the_apps_options_are_understood(words: Words, capsys: pytest.CaptureFixture[str]) -> None:
    """All that is missing here is a terminal, which is looked for once the options make sense."""
    assert main(list(words)) == 2
    assert "needs a terminal" in capsys.readouterr().err


@pytest.fixture
def working_directory(tmp_path: Path, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the files that the examples name."""
    monkeypatch.chdir(tmp_path)
    make_run(tmp_path / "my-run", names=("Full batch", "Mini-batch", "SGD"))
    make_run(tmp_path / "RUN")
    make_run(tmp_path / "RUN_DIR")
    make_run(tmp_path / "RUN_DIR_2")
    (tmp_path / "losses.csv").write_text("variant,batch,loss\nmine,1,2.5\nmine,2,2.25\n")
    (tmp_path / "net.py").write_text(code_blocks(README, "python")[0])
    return tmp_path


def is_quick(words: Words) -> bool:
    return words == ("experiment",) or (
        words[:1] in QUICK and not {"--prune", "--watch"} & {*words}
    )


@pytest.mark.usefixtures("working_directory")
@pytest.mark.parametrize("words", [each for each in EXAMPLES if is_quick(each)], ids=shown)
def test_quick_commands_run(words: Words, cli_in_process: Cli) -> None:
    target = ("new" if word == "RUN_DIR" and words[0] == "import" else word for word in words)
    result = cli_in_process(*target)
    assert (result.returncode, result.stderr) == (0, "")


def options(words: Words) -> set[str]:
    return {word for word in words if word.startswith("--")} - TRAINED_ANYWAY


def trainings() -> list[Words]:
    """Examples of `train` with all options that examples have, and all that stand together."""
    found: list[Words] = []
    examples = [each for each in EXAMPLES if each[:1] == ("train",)]
    for words in sorted(examples, key=lambda words: -len(options(words))):
        if not any(options(words) <= options(other) for other in found):
            found.append(words)
    return found


@pytest.mark.usefixtures("working_directory")
@pytest.mark.parametrize("words", trainings(), ids=shown)
def test_training_runs(words: Words, cli: Cli, cli_in_process: Cli) -> None:
    """For one epoch, into a run of its own."""
    gdtui = cli if "--detach" in words else cli_in_process
    result = gdtui(*words, "--epochs", "1", "--run-dir", "trained")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout


@pytest.mark.parametrize(
    "line",
    [
        line
        for block in code_blocks(DOCS / "guide.md", "sh")
        for line in block.splitlines()
        if "GDTUI_" in line and not line.startswith("export")
    ],
)
def test_commands_with_variables_run(line: str, cli_env: dict[str, str], tmp_path: Path) -> None:
    """In a shell that finds `gdtui`; what is for another shell's ears is read by cat."""
    program = tmp_path / "gdtui"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m gdtui "$@"\n')
    program.chmod(0o700)
    for another in ("eval", "| source"):
        line = line.replace(another, {"eval": "echo", "| source": "| cat"}[another])
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line],
        env={**cli_env, "PATH": f"{tmp_path}:{cli_env['PATH']}", "GDTUI_EPOCHS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout


@pytest.mark.parametrize("text", code_blocks(DOCS / "guide.md", "toml"))
def test_configuration_files_are_understood(text: str, cli_in_process: Cli, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(text)
    result = cli_in_process("config", "--config", tmp_path / "config.toml")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("config.toml:") == text.count("=")


def test_the_pages_model_is_the_readmes() -> None:
    assert code_blocks(README, "python")[0] in code_blocks(DOCS / "problems.md", "python")


def test_the_problem_of_the_api_trains(cli_in_process: Cli, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(code_blocks(DOCS / "api.md", "python")[0])
    result = cli_in_process(
        "train", "--problem", tmp_path / "net.py", "--epochs", "1", "--run-dir", tmp_path / "run"
    )
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.usefixtures("working_directory")
@pytest.mark.parametrize("code", code_blocks(DOCS / "api.md", "python")[1:])
def test_the_api_examples_run(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(code, {})
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out or "change" in code


@pytest.mark.parametrize(
    "code",
    [
        each
        for each in code_blocks(DOCS / "your-own-loop.md", "python")
        if "gdtui.integrations" not in each  # tests/integrations runs these
    ],
)
def test_loops_of_the_page_run(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """In this process, since each import of torch takes seconds."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(code, names)
    names["run"].close()
    said = capfd.readouterr()
    assert said.err == ""
    if "run.resume" in code:  # a second start finds nothing left to do
        exec(code, names)
        assert names["run"].batches == 189
        assert capfd.readouterr().err == "gdtui: loop goes on after batch 189 (epoch 3)\n"
    (variant,) = open_run(said.out.strip()).variants.values()
    assert variant.incomplete == ""
    assert len(variant.latest.losses) >= 20


def test_npz_files_are_those_that_the_page_describes(cli_in_process: Cli, tmp_path: Path) -> None:
    file = tmp_path / "points.npz"
    rng = np.random.default_rng(0)
    np.savez(file, X=rng.normal(size=(60, 3)), y=np.arange(60) % 2)
    result = cli_in_process("train", "--data", file, "--epochs", "1", "--run-dir", tmp_path / "run")
    assert result.returncode == 0
    assert result.stderr.startswith("gdtui train: ")
