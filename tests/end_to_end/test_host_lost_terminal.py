"""A run whose terminal was closed is attached to, changed, left and finished as planned."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from hosted_runs import rows
from real_app import CONSOLE_SCRIPT
from terminal import Terminal

from engine.log.directory import RunDirectory
from engine.log.follow import Follower
from engine.log.records import Changed
from engine.session.host.note import read_notes

Cli = Callable[..., "CompletedProcess[str]"]
EPOCHS = 60


def changes(path: Path) -> list[tuple[str, float]]:
    """The lr of each change so far."""
    found = Follower(RunDirectory.open(path)).read(10**9)
    return [(name, each.settings.lr) for name, each in found if isinstance(each, Changed)]


def test_a_run_goes_on_when_the_window_of_its_app_is_closed(
    tmp_path: Path, cli_in_process: Cli, cli_env: dict[str, str]
) -> None:
    options = ["--batch-sizes", "64,32", "--epochs", str(EPOCHS), "--pace", "1", "--linger", "0"]
    with Terminal([*CONSOLE_SCRIPT, *options], env=cli_env) as window:
        window.wait_for(lambda: any((tmp_path / "state/gdtui/runs").glob("*/*.host")))
        (path,) = (tmp_path / "state/gdtui/runs").iterdir()
        window.wait_for(lambda: len(rows(path)) == 2)
        window.hang_up()
        with Terminal([*CONSOLE_SCRIPT, "attach", str(path)], env=cli_env) as other:
            other.wait_for(lambda: "attached" in other.text and "all data" in other.text)
            other.send("2.")
            other.wait_for(lambda: changes(path) == [("Mini-batch 32", 0.02)])
            other.wait_for(lambda: re.search(r"batch 32 [^│]*· lr 0\.02 ", other.text))
            other.send("d")
            assert other.wait() == 0
        assert cli_in_process("send", path, "pace free").returncode == 0
        window.wait_for(lambda: not read_notes(path) and not window.processes)
    assert "Traceback" not in (path / "host.out").read_text()
    (listed,) = json.loads(cli_in_process("runs", "--json").stdout)["runs"]
    assert listed["state"] == "finished"
    assert rows(path) == {"Mini-batch 64": EPOCHS * 32, "Mini-batch 32": EPOCHS * 63}
