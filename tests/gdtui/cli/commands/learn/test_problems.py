"""`gdtui problems`: a line each, as text and as JSON, and nothing heavy loaded to say it."""

import json
import subprocess
import sys

import pytest

from engine.problems.registry import LISTINGS
from gdtui.cli.main import main


def test_every_problem_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["problems"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for listing, line in zip(LISTINGS, lines, strict=False):
        assert line.startswith(listing.name)
        assert listing.summary in line
    assert max(map(len, lines)) <= 110
    assert "pip install scikit-learn pandas pyarrow" in lines[-1]


def test_json_tells_the_defaults_of_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["problems", "--json"]) == 0
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert [problem["name"] for problem in problems] == [listing.name for listing in LISTINGS]
    by_name = {problem["name"]: problem for problem in problems}
    assert by_name["char-lm"]["defaults"]["batch_sizes"] == [4, 8, 32]
    assert by_name["synthetic"]["samples"] == 2000
    assert by_name["table"]["needs_file"]


@pytest.mark.parametrize("call", ["main(['problems'])", "main(['problems', '--json'])"])
def test_listing_loads_nothing_heavy(call: str, cli_env: dict[str, str]) -> None:
    code = (
        f"import sys\nfrom gdtui.cli.main import main\n{call}\nprint(*sys.modules, file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], env=cli_env, capture_output=True, check=True
    )
    loaded = {name.partition(".")[0] for name in result.stderr.decode().split()}
    assert "engine" in loaded
    assert (
        not {"torch", "pandas", "sklearn", "scipy", "pyarrow", "numpy", "textual", "plotext"}
        & loaded
    )
