"""`gdtui serve`: its errors, which need no server."""

import sys
from pathlib import Path

import pytest
from click import UsageError
from command_lines import context

from gdtui.cli.main import main

STORED = Path(__file__).parents[4] / "stored_runs" / "format-1"


def test_a_missing_extra_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gdtui.serve.server", None)
    assert main(["serve", str(STORED)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "pip install 'gdtui[web]'" in err


@pytest.mark.parametrize("options", ["--port 0", "--port 70000", "--replay 0", "--theme pink"])
def test_values_that_make_no_sense_are_refused(options: str) -> None:
    with pytest.raises(UsageError):
        context(f"serve {options}")
