"""The command line from outside: exit status, one line on stderr, nothing heavy loaded for it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.log.directory import RunDirectory
from gdtui.cli.main import main

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
MakeRun = Callable[..., RunDirectory]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--lr x", "--lr"),
        ("train --lr x", "a number"),
        ("train --bogus", "--bogus"),
        ("--epochs 3 train", "gdtui train"),
        (
            "trian",
            "did you mean train? Commands: train, watch, run, experiment, sweep, audit, record",
        ),
        ("export", "RUN_DIR"),
        ("export /nowhere", "holds no run"),
        ("watch", "terminal"),
        ("watch --replay 0", "--replay"),
        ("watch --fps x", "--fps"),
        ("--keys 8x", "'8x' is neither a wait"),
        ("import", "FILE"),
        ("import /nowhere.csv /nowhere/run", "cannot read /nowhere.csv"),
        ("runs --yes", "--prune"),
        ("", "gdtui train"),
        ("train --run-dir /proc/gdtui", "--run-dir"),
    ],
)
def test_a_wrong_call_exits_2_with_one_line(line: str, said: str, cli_in_process: Cli) -> None:
    result = cli_in_process(*line.split())
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert said in result.stderr


def no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


def test_a_user_without_a_home_is_asked_for_a_folder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert main(["runs"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "gdtui: no home directory is known: set HOME, or XDG_STATE_HOME to the folder for runs"
    ]


@pytest.mark.parametrize(
    "line",
    ["--help", "train --help", "watch -h", "import -h", "export -h", "runs --help", "--version"],
)
def test_help_is_on_stdout(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split()) == 0
    said = capsys.readouterr()
    assert "gdtui" in said.out
    assert said.err == ""
    assert max(map(len, said.out.splitlines())) <= 110


def test_every_option_of_train_but_the_screens_is_in_its_help(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["train", "--help"])
    words = capsys.readouterr().out.replace(",", " ").split()
    options = "batch-sizes lr lr-scaling base-batch accumulation momentum optimizer names drop-last"
    options += " problem epochs pace seed device threads run-dir json"
    assert {f"--{option}" for option in options.split()} <= set(words)
    assert "--fps" not in words


def test_a_run_directory_in_use_is_refused_and_left_alone(
    cli_in_process: Cli, make_run: MakeRun
) -> None:
    run = make_run()
    before = {file: file.read_bytes() for file in run.path.iterdir()}
    result = cli_in_process("train", "--run-dir", run.path)
    assert result.returncode == 2
    assert "already holds a run" in result.stderr
    assert {file: file.read_bytes() for file in run.path.iterdir()} == before


def test_a_closed_pipe_leaves_no_traceback(cli_env: dict[str, str], make_run: MakeRun) -> None:
    run = make_run(epochs=5000)  # more than a pipe holds
    export = subprocess.Popen(
        [sys.executable, "-m", "gdtui", "export", str(run.path)],
        env=cli_env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert export.stdout is not None
    assert export.stderr is not None
    assert export.stdout.readline().startswith(b"variant,")
    export.stdout.close()
    assert export.stderr.read() == b""
    assert export.wait() != 0
    export.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("to_file", [True, False])
def test_a_full_disk_is_said_in_one_line(
    to_file: bool, cli_env: dict[str, str], make_run: MakeRun
) -> None:
    command = [sys.executable, "-m", "gdtui", "export", str(make_run().path)]
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(
            [*command, "-o", "/dev/full"] if to_file else command,
            env=cli_env,
            stdout=subprocess.DEVNULL if to_file else full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert result.returncode == 1
    assert result.stderr.count(b"\n") == 1
    assert b"No space left" in result.stderr


@pytest.mark.parametrize("call", ["main(['--help'])", "main(['train', '--lr', 'x'])", "main([])"])
def test_parsing_loads_nothing_heavy(call: str, cli_env: dict[str, str]) -> None:
    """Every worker imports the console script's module, and the app paints before it loads."""
    code = (
        f"import sys\nfrom gdtui.cli.main import main\n{call}\nprint(*sys.modules, file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=cli_env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    heavy = {"torch", "textual", "rich", "numpy", "plotext", "multiprocessing"}
    loaded = {name.partition(".")[0] for name in result.stderr.decode().split()}
    assert "gdtui" in loaded
    assert not heavy & loaded


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_utf_8_gets_what_it_can_show(
    encoding: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    result = cli("problems")
    assert result.returncode == 0
    assert "synthetic" in result.stdout
    assert "Traceback" not in result.stderr
