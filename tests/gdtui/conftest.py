"""What most tests of the app begin with."""

from pathlib import Path

import pytest

from .app_bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Three variants of which nothing has been recorded yet."""
    return Bench(tmp_path / "run")
