"""What tests begin with: an app on a run that they write, a run that was imported."""

from collections.abc import Callable
from pathlib import Path

import pytest
from app_bench import Bench

from engine.log.directory import RunDirectory
from gdtui.export.csv_import.write import import_csv


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Three variants of which nothing has been recorded yet."""
    return Bench(tmp_path / "run")


@pytest.fixture
def imported(tmp_path: Path) -> Callable[[str | bytes], RunDirectory]:
    """The run that a CSV becomes."""

    def make(text: str | bytes) -> RunDirectory:
        file = tmp_path / "in.csv"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        path = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        import_csv(str(file), path, "0")
        return RunDirectory.open(path)

    return make
