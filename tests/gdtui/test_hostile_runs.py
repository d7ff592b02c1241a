"""Run directories from somebody else: read in every way, they are one line of news each.

Derandomised. The long form: FUZZ_EXAMPLES=100000 pytest tests/gdtui/test_hostile_runs.py
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hostile_reading import command, look, read_into_python, watch
from hostile_runs import HostileRun, Nest, hostile_runs
from hypothesis import given, settings
from hypothesis import strategies as st

from gdtui.chart.scene.polyline import Axis

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "100"))
GOOD = Path(__file__).parents[1] / "stored_runs" / "format-1"


@contextmanager
def nest() -> Iterator[Nest]:
    """A folder of runs that the commands find, with a good one in it."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(Path(folder) / "state"))
        patch.setenv("HOME", folder)
        patch.chdir(folder)
        made = Nest(Path(folder))
        shutil.copytree(GOOD, made.root / "good")
        yield made


def read_in_every_way(run: HostileRun, drawn: Axis, *, in_app: bool = False) -> None:
    with nest() as around:
        path = around.put(run)
        listed = json.loads(command("runs", "--json").out)["runs"]
        assert str(around.root / "good") in {each["run_dir"] for each in listed}
        assert "finished" in command("runs").out
        assert command("verify", "good").status == 0
        assert command("verify", str(path)).status in (0, 1, 2)
        assert command("verify", str(path), "--json").status in (0, 1, 2)
        assert command("send", str(path), "pause").status in (1, 2)
        assert command("stop", str(path)).status in (0, 1, 2)
        for form in ([], ["--measurements"]):
            output = around.root.parent / "out.csv"
            assert command("export", str(path), "-o", str(output), *form).status in (0, 1, 2)
        read_into_python(path)
        look(path, drawn=drawn)
        look(path, replay=True)
        look(around.root)
        if in_app:
            watch(path)
        assert command("runs", "--prune", "--yes").status in (0, 1)
        assert not (around.root / "good").exists()
        around.check()


@pytest.mark.timeout(0)  # each example has a limit of its own
@settings(max_examples=EXAMPLES, derandomize=EXAMPLES <= 100)
@given(hostile_runs(), st.sampled_from(Axis), st.integers(0, 49))
def test_a_hostile_run_is_one_line_of_news(run: HostileRun, drawn: Axis, turn: int) -> None:
    """One in fifty is also shown by the app itself, which takes twenty times as long."""
    read_in_every_way(run, drawn, in_app=turn == 13)
