"""Imports of each process, which keep starts short and workers small."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"torch", "numpy", "textual", "rich", "plotext"}


def loaded(code: str, env: dict[str, str]) -> set[str]:
    """The top-level packages that a fresh interpreter has after running that code."""
    result = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint('\\n' + ' '.join(sys.modules))"],
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return {name.partition(".")[0] for name in result.stdout.splitlines()[-1].split()}


def test_the_app_imports_no_torch_and_draws_its_first_frame_without_numpy(
    cli_env: dict[str, str],
) -> None:
    starts = "gdtui.cli.commands.train.run_app, gdtui.cli.commands.control.attach_run"
    found = loaded(f"import gdtui.app, {starts}", cli_env)
    assert "textual" in found
    assert not found & {"torch", "numpy", "plotext"}


EVERY_MODULE = """
import gdtui, importlib, pkgutil
EXTRAS = {"PIL", "aiohttp", "aiohttp_jinja2", "matplotlib", "textual_serve"}
for module in pkgutil.walk_packages(gdtui.__path__, "gdtui."):
    if module.name.startswith("gdtui.integrations."):
        continue  # imported by scripts that have torch and the Trainer's library anyway
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        if error.name.partition(".")[0] not in EXTRAS:
            raise
"""
"""Modules that need an extra may be without it."""


def test_no_module_of_the_app_imports_torch(cli_env: dict[str, str]) -> None:
    found = loaded(EVERY_MODULE, cli_env)
    assert {"textual", "numpy"} <= found
    assert "torch" not in found


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (["--help"], HEAVY),
        (["--version"], HEAVY),
        (["train", "--help"], HEAVY),
        (["runs"], HEAVY - {"numpy"}),
    ],
    ids=["--help", "--version", "train --help", "runs"],
)
def test_small_commands_import_nothing_heavy(
    cli_env: dict[str, str], arguments: list[str], heavy: set[str]
) -> None:
    found = loaded(f"from gdtui.cli.main import main\nmain({arguments})", cli_env)
    assert "gdtui" in found
    assert not found & heavy


CONSOLE_SCRIPT = """
import sys
from gdtui.cli.main import main
if __name__ == '__main__':
    import engine.worker.main
    import telltale
    engine.worker.main.main = telltale.main
    sys.exit(main())
"""
"""The script as pip writes it, but for the last lines: each worker starts in a function of ours."""

TELLTALE = """
import engine.worker.main
from pathlib import Path

def main(task, pipe):
    engine.worker.main.main(task, pipe)
    import sys
    Path(task.log).with_suffix(".modules").write_text(" ".join(sys.modules))
"""


def test_a_worker_of_the_console_script_loads_nothing_of_the_screen(
    tmp_path: Path, cli_env: dict[str, str]
) -> None:
    (tmp_path / "gdtui").write_text(CONSOLE_SCRIPT)
    (tmp_path / "telltale.py").write_text(TELLTALE)
    run = tmp_path / "run"
    subprocess.run(
        [
            sys.executable,
            tmp_path / "gdtui",
            "train",
            "--batch-sizes",
            "64",
            "--epochs",
            "1",
            "--run-dir",
            run,
        ],
        env={**cli_env, "PYTHONPATH": os.pathsep.join((cli_env["PYTHONPATH"], str(tmp_path)))},
        stdout=subprocess.DEVNULL,
        timeout=300,
        check=True,
    )
    (report,) = run.glob("*.modules")
    found = {name.partition(".")[0] for name in report.read_text().split()}
    assert {"torch", "telltale", "__mp_main__"} <= found
    assert not found & {"textual", "rich", "plotext"}
