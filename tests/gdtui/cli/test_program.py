"""Words that Tab offers, and variables in place of options: for every command."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from command_lines import context

from engine.log.directory import RunDirectory
from engine.problems.registry import LISTINGS
from engine.settings import LrScaling
from gdtui.cli.command import Option, explain
from gdtui.cli.commands.control.orders import SETTINGS
from gdtui.cli.commands.learn.docs import topics
from gdtui.cli.config.origins import variable
from gdtui.cli.main import main
from gdtui.cli.options.theme import THEMES
from gdtui.cli.program import APP, COMMANDS, load, program

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
MakeRun = Callable[..., RunDirectory]

EVERY_COMMAND = ["", *COMMANDS]
REMOVAL = {"--prune", "--older-than", "--larger-than", "--keep", "--yes"}
ACTIONS = {"--help", "--list", "--version", "--path", "--detach", "--resume", "--watch", *REMOVAL}
"""Options that must be typed."""


def offered(line: str) -> list[str]:
    """The words that Tab offers at the end of the line, which is after its last space."""
    *words, last = line.split(" ")
    found = ShellComplete(program, {}, "gdtui", "_GDTUI_COMPLETE").get_completions(words, last)
    return [item.value for item in found if item.type == "plain"]


def offers_files(line: str) -> bool:
    *words, last = line.split(" ")
    found = ShellComplete(program, {}, "gdtui", "_GDTUI_COMPLETE").get_completions(words, last)
    return {item.type for item in found} in ({"file"}, {"dir"})


@pytest.fixture(autouse=True)
def no_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever runs of gdtui the user has."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def options_of(command: str) -> list[Option]:
    return load(COMMANDS.get(command, APP)).options


# --- Completion -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", [*COMMANDS]),
        ("ex", ["experiment", "export"]),
        ("--th", ["--threads", "--theme"]),
        ("train --js", ["--json"]),
        ("docs ", topics()),
        ("experiment sa", ["saddle"]),
        ("--theme ", [*THEMES]),
        ("watch --theme hi", ["high-contrast"]),
        ("--problem ", [listing.name for listing in LISTINGS]),
        ("sweep --problem dig", ["digits", "digits-cnn"]),
        ("train --lr-scaling ", [*LrScaling]),
        ("train --lr-scaling none,s", ["none,sqrt"]),
        ("--lr 0.1 --optimizer sgd,adam", ["sgd,adam", "sgd,adamw"]),
        ("--measuring o", ["on", "off"]),
        ("--pace f", ["free"]),
        ("train --device cpu,cu", ["cpu,cuda"]),
    ],
)
def test_words_that_are_offered(line: str, words: list[str]) -> None:
    assert offered(line) == words


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_every_option_of_every_command_is_offered(command: str) -> None:
    shown = {each.opts[-1] for each in options_of(command) if not each.hidden}
    assert set(offered(f"{command} --".lstrip())) == shown


@pytest.mark.parametrize(
    "line", ["--data ", "--problem ./", "export ", "watch /", "import x", "train --run-dir "]
)
def test_files_and_directories_are_left_to_the_shell(line: str) -> None:
    assert offers_files(line)


def test_stored_runs_are_offered_the_newest_first(
    tmp_path: Path, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    root = tmp_path / "gdtui" / "runs"
    runs = [str(make_run(root / name).path) for name in ("20260102-000000", "20260101-000000")]
    assert offered("watch ") == ["20260102-000000", "20260101-000000"]
    assert offered(f"export {root}/2026") == runs
    assert offered(f"export {root}/20260101") == runs[1:]


def test_sweeps_are_offered_among_the_runs_and_each_further_run_is_completed(
    tmp_path: Path,
    make_run: MakeRun,
    make_sweep: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    root = tmp_path / "gdtui" / "runs"
    make_run(root / "20260101-000000")
    make_sweep(root / "20260102-000000")
    assert offered("watch ") == ["20260102-000000", "20260101-000000"]
    assert offered("watch 20260102-000000 20260101") == ["20260101-000000"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_program_prints_a_script_for_the_shell(
    shell: str, cli_in_process: Cli, cli_env: dict[str, str]
) -> None:
    cli_env["_GDTUI_COMPLETE"] = f"{shell}_source"
    result = cli_in_process()
    assert (result.returncode, result.stderr) == (0, "")
    assert f"_GDTUI_COMPLETE={shell}_complete" in result.stdout


def test_the_script_asks_the_program_for_words(
    cli_in_process: Cli, cli_env: dict[str, str]
) -> None:
    cli_env.update(
        _GDTUI_COMPLETE="bash_complete", COMP_WORDS="gdtui train --lr-scaling ", COMP_CWORD="3"
    )
    assert cli_in_process().stdout.split() == [f"plain,{rule}" for rule in LrScaling]


def test_bash_completes_with_the_script(cli_env: dict[str, str], tmp_path: Path) -> None:
    program = tmp_path / "gdtui"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m gdtui "$@"\n')
    program.chmod(0o700)
    script = """
eval "$(_GDTUI_COMPLETE=bash_source gdtui)"
COMP_WORDS=(gdtui train --lr-s) COMP_CWORD=2
$(complete -p gdtui | sed 's/.*-F \\([^ ]*\\).*/\\1/') gdtui 2>/dev/null
echo "${COMPREPLY[@]}"
"""
    result = subprocess.run(
        ["bash", "-c", script],
        env={**cli_env, "PATH": f"{tmp_path}:{cli_env['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "--lr-scaling\n"


# --- Variables ------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_every_option_but_actions_has_a_variable(command: str) -> None:
    without = {each.opts[-1] for each in options_of(command) if not each.allow_from_autoenv}
    given = {f"--{name}" for name in SETTINGS} if command in ("fork", "rewind") else set()
    assert without <= ACTIONS | given


def values_of(line: str, monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, object]:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return context(line).params


@pytest.mark.parametrize("command", ["", "train", "sweep"])
def test_one_variable_is_for_all_commands(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = values_of(
        command,
        monkeypatch,
        GDTUI_LR="0.5,0.25,1,2,4",
        GDTUI_BATCH_SIZES="1,2,3,4,full",
        GDTUI_RUN_DIR="here",
        GDTUI_DROP_LAST="1",
        GDTUI_PACE="free",
    )
    assert values["lr"] == (0.5, 0.25, 1, 2, 4)
    assert values["batch_sizes"] == (1, 2, 3, 4, "full")
    assert values["run_dir"] == Path("here")
    assert values["drop_last"] is True
    assert values["pace"] is None


def test_what_is_typed_goes_before_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    values = values_of("--epochs 7", monkeypatch, GDTUI_EPOCHS="3", GDTUI_SEED="")
    assert (values["epochs"], values["seed"]) == (7, 0)


@pytest.mark.parametrize("command", ["", "train", "sweep"])
@pytest.mark.parametrize(
    ("name", "value"),
    [("GDTUI_LR", "x"), ("GDTUI_EPOCHS", "0"), ("GDTUI_THEME", "pink"), ("GDTUI_DEBUG", "maybe")],
)
def test_a_wrong_variable_is_named(
    command: str, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(click.UsageError) as error:
        context(command)
    assert explain(error.value).startswith(f"gdtui {command}".strip() + f": {name}: ")


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_the_help_says_what_variables_are_called(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command.split(), "--help"]) == 0
    has_variables = any(each.allow_from_autoenv for each in options_of(command))
    assert ("GDTUI_LR for --lr" in capsys.readouterr().out) == has_variables
    assert [variable(each) for each in options_of("") if "--lr" in each.opts] == ["GDTUI_LR"]


# --- Usage errors ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("train --epoch 3", "gdtui train: unknown option '--epoch'; did you mean --epochs?"),
        ("watch --xyz", "gdtui watch: unknown option '--xyz'; see gdtui watch --help"),
        ("--lr", "gdtui: --lr requires an argument"),
        ("runs --json=1", "gdtui runs: --json does not take a value"),
        ("export", "gdtui export: missing RUN_DIR"),
        ("--epochs 3 train", "gdtui: command train must come first: gdtui train [OPTIONS]"),
        ("runs more", "gdtui runs: unexpected argument 'more'"),
        ("docs keyz", "gdtui docs: TOPIC: unknown topic 'keyz'; topics: "),
        ("trian", "gdtui: unknown command 'trian'; did you mean train? Commands: train, watch"),
        ("''", "gdtui: unknown command ''; choose from train, watch"),
    ],
)
def test_usage_errors_are_one_line(line: str, said: str, cli_in_process: Cli) -> None:
    result = cli_in_process(*("" if word == "''" else word for word in line.split()))
    assert result.returncode == 2
    assert result.stderr.startswith(said)
    assert result.stderr.count("\n") == 1
