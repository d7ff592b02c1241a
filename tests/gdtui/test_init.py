"""The package's public names: typed, listed, and free of charge until they are used."""

import subprocess
import sys
from pathlib import Path

import pytest

import engine
import gdtui

ROOT = Path(__file__).resolve().parents[2]
STORED = ROOT / "tests" / "stored_runs" / "format-1"


def loaded(code: str, env: dict[str, str]) -> set[str]:
    """The top-level packages that a fresh interpreter has after that code."""
    command = [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"]
    result = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=300, check=True
    )
    return {name.partition(".")[0] for name in result.stdout.splitlines()[-1].split()}


def test_its_public_names_are_there_and_no_others() -> None:
    assert gdtui.Problem is engine.Problem
    for name in gdtui.__all__:
        assert getattr(gdtui, name) is not None
        assert name in dir(gdtui)
    with pytest.raises(AttributeError, match="has no attribute 'Probelm'"):
        gdtui.Probelm  # noqa: B018


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import gdtui", {"torch", "textual", "rich", "numpy", "plotext", "msgspec", "engine"}),
        ("from gdtui import Problem", {"torch", "textual", "rich", "numpy", "plotext"}),
        (
            f"import gdtui; gdtui.open_run({str(STORED)!r})",
            {"torch", "textual", "rich", "numpy", "plotext"},
        ),
        (f"import gdtui; gdtui.open_run({str(STORED)!r}).columns()", {"torch", "textual", "rich"}),
    ],
    ids=["gdtui", "Problem", "open_run", "arrays"],
)
def test_nothing_is_imported_before_it_is_needed(
    code: str, absent: set[str], cli_env: dict[str, str]
) -> None:
    found = loaded(code, cli_env)
    assert "gdtui" in found
    assert not found & absent


USER_FILE = """
from gdtui import Problem, open_run

reveal_type(Problem)
reveal_type(open_run("./my-run").variants["SGD"].latest.losses)
Problem(model=1)
open_run(1)
"""


def test_a_users_type_checker_knows_them(tmp_path: Path) -> None:
    """They are no Any: what is wrong in the user's file is found."""
    mypy_api = pytest.importorskip("mypy.api")
    file = tmp_path / "net.py"
    file.write_text(USER_FILE)
    said, errors, _ = mypy_api.run(
        [
            "--config-file",
            str(ROOT / "pyproject.toml"),
            "--cache-dir",
            str(ROOT / ".mypy_cache"),
            str(file),
        ]
    )
    assert errors == ""
    assert "-> engine.problem.Problem" in said
    assert "float32" in said or "floating" in said
    assert 'Argument "model" to "Problem" has incompatible type "int"' in said
    assert 'Argument 1 to "open_run" has incompatible type "int"' in said
