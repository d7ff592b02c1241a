"""`gdtui send` and `gdtui stop` for scripts that share a run directory."""

from pathlib import Path

import click
import pytest
from script_loops import ScriptLoop, loop_elsewhere

from engine.log.directory import RunDirectory
from engine.log.follow import Follower
from engine.log.records import CommandSent, State
from gdtui.api.run import open_run
from gdtui.cli.commands.control import send, stop


def sent(path: Path) -> list[str]:
    records = Follower(RunDirectory.open(path)).read()
    return sorted(name for name, each in records if isinstance(each, CommandSent))


def send_words(path: Path, *words: str) -> int:
    return send.send(click.Context(send.command), path, words)


def test_send_reaches_the_script_of_each_variant(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run"
    first, second = ScriptLoop(path, "first"), ScriptLoop(path, "second")
    assert send_words(path, "step 2") == 0
    assert sent(path) == ["second"]
    assert send_words(path, "epochs 8") == 0
    assert sent(path) == ["first", "second", "second"]
    assert send_words(path, "lr second 3") == 1
    assert "gdtui send: second: the lr stays: track() was given" in capfd.readouterr().err
    first.run.close()
    assert send_words(path, "epochs 9") == 0
    assert send_words(path, "step 2") == 0  # the numbers of variants stay
    assert send_words(path, "step first") == 1
    assert "no process trains first any more" in capfd.readouterr().err
    second.run.close()


def test_stop_ends_all_scripts(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with loop_elsewhere(path, "first"), loop_elsewhere(path, "second"):
        assert stop.stop(click.Context(stop.command), path) == 0
    assert {each.state for each in open_run(path).variants.values()} == {State.STOPPED}
