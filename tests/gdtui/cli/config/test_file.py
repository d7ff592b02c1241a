"""The configuration file: what it may hold, and one line with file, line and key where it errs."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from command_lines import context

from engine.problems.loader import Loaded
from gdtui.cli.command import explain
from gdtui.cli.config.file import default_path
from gdtui.cli.main import main
from gdtui.cli.options.settings import read_options

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's file, which is not there yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / "gdtui" / "config.toml"
    path.parent.mkdir()
    return path


def suggesting(**defaults: str) -> Loaded:
    """A problem with these defaults, as its loader found it."""
    return Loaded(n=100, validation_n=0, model="Linear(1,1)", parameters=2, defaults=defaults)


def complaint(line: str) -> str:
    with pytest.raises(click.UsageError) as error:
        context(line)
    return explain(error.value)


def test_somebody_without_a_home_has_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr("platformdirs.user_config_path", fail)
    assert context("train").params["epochs"] == 20


# --- Values ---------------------------------------------------------------------------------------


def test_without_a_file_nothing_changes(config: Path) -> None:
    assert default_path() == config
    assert context("train").params["epochs"] == 20


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("epochs = 3", "epochs", 3),
        ('epochs = "3"', "epochs", 3),
        ("lr = 0.5", "lr", (0.5,)),
        ("lr = [0.5, 1, 1e-3]", "lr", (0.5, 1.0, 0.001)),
        ('batch-sizes = ["full", 64]', "batch_sizes", ("full", 64)),
        ('batch_sizes = "full,64"', "batch_sizes", ("full", 64)),
        ("measuring = false", "measuring", False),
        ('measuring = "off"', "measuring", False),
        ("drop-last = true", "drop_last", True),
        ('pace = "free"', "pace", None),
        ("pace = 0.5", "pace", 0.5),
        ('theme = "light"', "theme", "light"),
        ("fps = 30", "fps", 30.0),
        ('names = ["A", "B"]', "names", ("A", "B")),
        ('run-dir = "here"', "run_dir", Path("here")),
        ('"epochs" = 3', "epochs", 3),
        ("# nothing\n\n[train]\n[sweep]\n", "epochs", 20),
    ],
)
@pytest.mark.parametrize("command", ["", "train"])
def test_values_are_read_as_if_they_had_been_typed(
    command: str, text: str, name: str, value: object, config: Path
) -> None:
    config.write_text(text)
    assert context(command).params[name] == value


def test_a_commands_table_goes_before_the_keys_for_all(config: Path) -> None:
    config.write_text("epochs = 3\nseed = 4\n[train]\nepochs = 5\n[app]\npace = 7\nepochs = 6\n")
    assert [context(line).params["epochs"] for line in ("", "train", "sweep")] == [6, 5, 3]
    assert [context(line).params["seed"] for line in ("", "train", "sweep")] == [4, 4, 4]
    assert [context(line).params["pace"] for line in ("", "train")] == [7.0, None]


def test_typed_goes_before_variable_before_file(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text("epochs = 3\nseed = 4\nlr = 5\n")
    monkeypatch.setenv("GDTUI_SEED", "40")
    monkeypatch.setenv("GDTUI_LR", "50")
    values = context("train --lr 500").params
    assert (values["epochs"], values["seed"], values["lr"]) == (3, 40, (500.0,))


@pytest.mark.parametrize("source", ["file", "variable"])
def test_what_the_user_has_set_goes_before_what_a_problem_suggests(
    source: str, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if source == "file":
        config.write_text("epochs = 3\n")
    else:
        monkeypatch.setenv("GDTUI_EPOCHS", "3")
    loaded = suggesting(epochs="7", lr="0.5")
    settings = read_options(context("train"), loaded).settings
    assert settings.epochs == 3
    assert {each.settings.lr for each in settings.variants} == {0.5}


def test_batch_sizes_of_the_file_are_other_variants_than_those_suggested(config: Path) -> None:
    config.write_text("batch-sizes = [8, 16]\n")
    loaded = suggesting(batch_sizes="1,2,3", lr="0.1,0.2,0.3", names="a,b,c")
    variants = read_options(context("train"), loaded).settings.variants
    assert [each.settings.batch_size for each in variants] == [8, 16]
    assert [each.settings.lr for each in variants] == [0.1, 0.1]


def test_another_file_can_be_named(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text("epochs = 3\n")
    (tmp_path / "other.toml").write_text("epochs = 4\n")
    (tmp_path / "third.toml").write_text("epochs = 5\n")
    monkeypatch.setenv("GDTUI_CONFIG", str(tmp_path / "other.toml"))
    assert context("train").params["epochs"] == 4
    assert context(["train", "--config", str(tmp_path / "third.toml")]).params["epochs"] == 5
    assert context("train --config /dev/null").params["epochs"] == 20


# --- Errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("seed = 1\nepoch = 3", 2, "unknown key 'epoch'; did you mean epochs?"),
        ("xyzzy = 3", 1, "unknown key 'xyzzy'; gdtui config lists all keys"),
        ("[train]\n\nepoch = 3", 3, "[train] has no 'epoch'; did you mean epochs?"),
        ("[train]\nmemory-limit = 9", 2, "[train] has no 'memory-limit'; it is for [sweep]"),
        ("\n[trian]\nepochs = 3", 2, "unknown table [trian]; did you mean train?"),
        ("epochs = 0", 1, "epochs: '0': expected a whole number from 1"),
        ("epochs = 2.5", 1, "epochs: '2.5': expected a whole number from 1"),
        ("epochs = true", 1, "epochs: 'true': expected a whole number from 1"),
        ("epochs = [1, 2]", 1, "epochs: '1,2': expected a whole number from 1"),
        ('seed = 1\n[train]\nlr = "fast"', 3, "lr: 'fast': expected a number"),
        ('theme = "pink"', 1, "theme: 'pink' is not one of 'dark', 'light', 'high-contrast'"),
        ('drop-last = "perhaps"', 1, "drop-last: 'perhaps' is not a valid boolean"),
        ("epochs = 1979-05-27", 1, "epochs: expected a number, a string, or a list of these"),
        ("epochs = [[1]]", 1, "epochs: expected a number, a string, or a list of these"),
        ("seed = {}", 1, "unknown table [seed]"),
        ("\ntrain = { epoch = 3 }", 2, "[train] has no 'epoch'; did you mean epochs?"),
        ("epochs = 3\nlr = = 3", 2, "Invalid value"),
        ('epochs = 3\nname = "', 2, "Unterminated string"),
        ("yes = true", 1, "unknown key 'yes'"),
        ("prune = true", 1, "unknown key 'prune'"),
        ('config = "x.toml"', 1, "unknown key 'config'"),
    ],
)
def test_an_error_names_file_line_and_key(text: str, line: int, said: str, config: Path) -> None:
    config.write_text(text)
    assert complaint("train").startswith(f"gdtui train: {config}:{line}: {said}")


def test_keys_of_other_commands_are_not_in_the_way(config: Path) -> None:
    config.write_text('memory-limit = 9\nseeds = 7\n[sweep]\nepochs = "x"\n')
    assert context("train").params["epochs"] == 20
    assert complaint("sweep").startswith(f"gdtui sweep: {config}:4: epochs: 'x'")


@pytest.mark.parametrize("command", ["", "train", "sweep", "runs", "docs", "watch"])
def test_every_command_tells_a_key_that_there_is_not(
    command: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text("epoch = 3\n")
    assert main([command] if command else []) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"{config}:1: unknown key 'epoch'" in said


@pytest.mark.parametrize("line", ["--help", "train --help", "--version", "config --path"])
def test_help_and_version_need_no_file(line: str, config: Path) -> None:
    config.write_text("= nonsense")
    assert main(line.split()) == 0


def test_a_named_file_must_be_there(tmp_path: Path, config: Path) -> None:
    path = tmp_path / "no.toml"
    assert complaint(f"train --config {path}") == f"gdtui train: no configuration file {path}"
    assert complaint(f"train --config {tmp_path}").endswith("Is a directory")
    path.write_bytes(b"theme = '\xff'")
    assert complaint(f"train --config {path}").endswith("it is not UTF-8")


# --- Settings that do not go together -------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "variables", "said"),
    [
        ("lr = [1, 2]", {}, "(set by {config}:1: lr)"),
        ("", {"GDTUI_LR": "1,2"}, "(set by GDTUI_LR)"),
        ("", {"GDTUI_LR": "0"}, "(set by GDTUI_LR)"),
        ("momentum = 1", {"GDTUI_LR": "1"}, "(set by {config}:1: momentum)"),
        ("", {"GDTUI_TARGET": "y"}, "(set by GDTUI_TARGET)"),
        ("", {"GDTUI_PROBLEM": "cifar"}, "(set by GDTUI_PROBLEM)"),
        ("drop-last = true", {"GDTUI_BATCH_SIZES": "9999"}, "{config}:1: drop-last)"),
    ],
)
def test_settings_that_do_not_fit_name_their_places(
    text: str,
    variables: dict[str, str],
    said: str,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config.write_text(text)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert main(["train"]) == 2
    assert said.format(config=config) in capsys.readouterr().err


def test_what_only_a_worker_can_judge_names_its_variable(
    cli_in_process: Cli, cli_env: dict[str, str]
) -> None:
    cli_env["GDTUI_OPTIMIZER"] = "nosuch"
    result = cli_in_process("train")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("gdtui train: unknown optimizer 'nosuch': choose from ")
    assert result.stderr.endswith(" (set by GDTUI_OPTIMIZER)\n")
