"""`gdtui config`: the values in force where nothing is typed, and where each comes from."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_lines import context

from gdtui.cli.config.origins import key, may_have_default
from gdtui.cli.program import APP, COMMANDS, load

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def cli(cli_in_process: Cli) -> Cli:
    """These commands need no process of their own."""
    return cli_in_process


@pytest.fixture
def config(tmp_path: Path, cli_env: dict[str, str]) -> Path:
    """The user's file, with something in it."""
    cli_env["XDG_CONFIG_HOME"] = str(tmp_path)
    path = tmp_path / "gdtui" / "config.toml"
    path.parent.mkdir()
    path.write_text('theme = "light"\nlr = [1, 2]\n\n[train]\nepochs = 5\n')
    return path


def in_force(cli: Cli, *arguments: str) -> dict[tuple[str, str], Any]:
    """The entry of each option of each command."""
    result = cli("config", "--json", *arguments)
    assert (result.returncode, result.stderr) == (0, "")
    return {
        (command, entry["option"]): entry
        for entry in json.loads(result.stdout)["options"]
        for command in entry["commands"]
    }


def test_each_value_has_its_origin(cli: Cli, cli_env: dict[str, str], config: Path) -> None:
    cli_env.update(GDTUI_SEED="7", GDTUI_LR="3")
    found = in_force(cli)

    def told(command: str, option: str) -> tuple[str, str, str]:
        entry = found[command, option]
        return entry["value"], entry["source"], entry["origin"]

    assert told("app", "theme") == told("docs", "theme") == ("light", "file", f"{config}:1")
    assert told("app", "lr") == told("sweep", "lr") == ("3", "environment", "GDTUI_LR")
    assert told("train", "seed") == ("7", "environment", "GDTUI_SEED")
    assert told("train", "epochs") == ("5", "file", f"{config}:5")
    assert told("app", "epochs") == ("20", "default", None)
    assert told("sweep", "epochs") == ("5", "default", None)
    assert told("app", "pace") == ("1", "default", None)
    assert told("train", "pace") == ("free", "default", None)


def test_every_option_that_has_a_default_is_told(cli: Cli) -> None:
    found = in_force(cli)
    for name, module in {"app": APP, **COMMANDS}.items():
        for each in filter(may_have_default, load(module).params):
            assert (name, key(each)) in found


def test_the_table_tells_the_same(cli: Cli, cli_env: dict[str, str], config: Path) -> None:
    cli_env["GDTUI_SEED"] = "7"
    result = cli("config")
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == str(config)
    rows = {tuple(line.split()[:3]) for line in lines[2:]}
    assert {("theme", "light", f"{config}:1"), ("seed", "7", "GDTUI_SEED")} <= rows
    assert ("fps", "10", "default") in rows


def test_the_path_is_told_whether_or_not_there_is_a_file(cli: Cli, config: Path) -> None:
    config.write_text("= broken")
    assert cli("config", "--path").stdout == f"{config}\n"
    config.unlink()
    assert cli("config", "--path").stdout == f"{config}\n"
    assert "(no such file)" in cli("config").stdout
    assert cli("config", "--path", "--config", "./mine").stdout == "mine\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epoch = 3", "unknown key 'epoch'; did you mean epochs?"),
        ("[sweep]\nepoch = 3", "[sweep] has no 'epoch'; did you mean epochs?"),
        ("[watch]\nreplay = 0", "gdtui watch: {config}:2: replay: '0': expected"),
        ("[app]\nfps = 0", "gdtui: {config}:2: fps: '0': expected"),
        ("= broken", "{config}:1: Invalid"),
    ],
)
def test_an_error_in_any_table_is_one_line(text: str, said: str, cli: Cli, config: Path) -> None:
    config.write_text(text)
    result = cli("config")
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert said.format(config=config) in result.stderr


def test_a_variable_that_no_option_has_is_told(cli: Cli, cli_env: dict[str, str]) -> None:
    cli_env.update(GDTUI_THEM="light", GDTUI_CONFIG="/dev/null")
    result = cli("config")
    assert result.returncode == 0
    assert result.stderr == (
        "gdtui config: no option has the variable GDTUI_THEM; did you mean GDTUI_THEME?\n"
    )


def test_on_a_mac_the_file_is_in_application_support(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from platformdirs.macos import MacOS

    monkeypatch.setattr("platformdirs.PlatformDirs", MacOS)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME")
    place = tmp_path / "Library" / "Application Support" / "gdtui"
    place.mkdir(parents=True)
    (place / "config.toml").write_text("epochs = 3\n")
    assert context("train").params["epochs"] == 3
