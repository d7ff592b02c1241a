"""Apps in real terminals, ended with their test."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from real_app import CONSOLE_SCRIPT, App, StartApp
from terminal import Terminal


@pytest.fixture
def start_app(tmp_path: Path, cli_env: dict[str, str]) -> Iterator[StartApp]:
    """`start_app(arguments…, command=, env=, columns=, rows=, colours=)`; ended with the test."""
    apps: list[App] = []

    def start(
        *arguments: str,
        command: list[str] = CONSOLE_SCRIPT,
        env: dict[str, str] | None = None,
        columns: int = 160,
        rows: int = 45,
        colours: str = "truecolor",
    ) -> App:
        path = tmp_path / f"run{len(apps)}"
        terminal = Terminal(
            [*command, "--run-dir", str(path), *arguments],
            env={**cli_env, **(env or {})},
            columns=columns,
            rows=rows,
            colours=colours,
        )
        app = App(terminal, path)
        apps.append(app)
        terminal.wait_for(lambda: _has_begun(path) or terminal.has_ended)
        return app

    yield start
    for app in apps:
        app.terminal.close()


@pytest.fixture
def temporary(cli_env: dict[str, str]) -> Iterator[Path]:
    """A folder for temporary files, with a short name: sockets are made in it."""
    folder = Path(tempfile.mkdtemp(prefix="t"))
    cli_env["TMPDIR"] = str(folder)
    yield folder
    shutil.rmtree(folder)


def _has_begun(run: Path) -> bool:
    """True when its run.json is there, and not about to be written."""
    try:
        return (run / "run.json").stat().st_size > 0
    except OSError:
        return False
