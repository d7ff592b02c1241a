"""Scripts that share a run directory: a command reaches the script of its variant."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from script_loops import ScriptLoop, loop_elsewhere

from engine.log.commands import Change, Extend, Pause, Resume
from engine.log.directory import RunDirectory
from engine.log.follow import Follower
from engine.log.records import CommandSent
from engine.session.host.client import HostError, HostLink
from engine.session.host.note import read_notes
from engine.session.host.several.links import HostLinks
from engine.session.host.several.session import JointSession
from gdtui.api.run import open_run

PATIENCE = 120.0


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def loops(tmp_path: Path) -> Iterator[list[ScriptLoop]]:
    """Two loops in this process that share a run."""
    made = [ScriptLoop(tmp_path / "run", name) for name in ("first", "second")]
    yield made
    for each in made:
        each.run.close()


def texts_until(session: JointSession, part: str) -> list[str]:
    """The texts of the notices, up to one that contains `part`."""
    texts: list[str] = []
    deadline = time.monotonic() + PATIENCE
    while not any(part in text for text in texts):
        assert time.monotonic() < deadline, texts
        texts += [notice.text for notice in session.poll()]
        time.sleep(0.005)
    return texts


def epochs(path: Path) -> dict[str, int]:
    return {name: each.planned_epochs for name, each in open_run(path).variants.items()}


def test_each_loop_leaves_a_note_about_its_own_variant(
    loops: list[ScriptLoop], tmp_path: Path
) -> None:
    assert sorted(note.variants for note in read_notes(tmp_path / "run")) == [
        ("first",), ("second",),
    ]  # fmt: skip


def test_commands_go_to_the_loops_that_they_name(loops: list[ScriptLoop], tmp_path: Path) -> None:
    links = HostLinks(tmp_path / "run", "0", is_viewer=True)
    session = JointSession(links)
    session.extend(7)
    session.pause()
    session.resume()
    sent = [(each.variant, type(each.command)) for each in session.take_sent()]
    assert sent == [
        (name, kind) for name in ("first", "second") for kind in (Extend, Pause, Resume)
    ]
    session.step_once(["second"])
    assert [each.variant for each in session.take_sent()] == ["second"]
    loops[0].train(2)  # would wait if it were to pause
    links.close()
    planned = {name: each.latest for name, each in open_run(tmp_path / "run").variants.items()}
    assert planned.keys() == {"first", "second"}


@pytest.mark.usefixtures("loops")
def test_commands_that_no_loop_has_answered_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = HostLinks(tmp_path / "run", "0", is_viewer=True)
    session = JointSession(links)
    monkeypatch.setattr(HostLink, "wait_for", lambda *_: None)
    session.pause()
    session.resume()
    asked = {name: [type(each) for each in commands] for name, commands in session.asked.items()}
    assert asked == {"first": [Resume], "second": [Resume]}
    deadline = time.monotonic() + PATIENCE
    while any(session.asked.values()):
        assert time.monotonic() < deadline
        session.poll()
    assert [each.variant for each in session.take_sent()] == ["first"] * 2 + ["second"] * 2
    links.close()


def test_each_loop_refuses_for_itself(loops: list[ScriptLoop], tmp_path: Path) -> None:
    links = HostLinks(tmp_path / "run", "0")
    session = JointSession(links)
    session.set_pace(1.0)
    texts = [notice.text for notice in session.poll()]
    assert texts == [f"{name} refused: a script keeps its own pace" for name in ("first", "second")]
    settings = links.settings
    with pytest.raises(HostError, match=r"^first: the lr stays.*; second: the lr stays"):
        links.order(
            {
                name: Change(id=0, settings=type(each)(**{**_fields(each), "lr": 9.0}))
                for name, each in settings.items()
            }
        )
    links.close()


def _fields(settings: object) -> dict[str, object]:
    return {name: getattr(settings, name) for name in settings.__struct_fields__}


@pytest.mark.parametrize("first_to_end", [0, 1])
def test_either_loop_may_end_first(
    loops: list[ScriptLoop], tmp_path: Path, first_to_end: int
) -> None:
    session = JointSession(HostLinks(tmp_path / "run", "0", is_viewer=True))
    names = ["first", "second"]
    ended, other = names[first_to_end], names[1 - first_to_end]
    loops[first_to_end].run.close()
    (text,) = texts_until(session, "has ended")
    assert text.startswith(f"{ended}: its script (process ")
    session.step_once(names)
    assert [each.variant for each in session.take_sent()] == [other]
    assert texts_until(session, ended) == [
        f"{ended}: its script has ended; run it again to train more"
    ]
    loops[1 - first_to_end].run.close()
    assert "no script of this run is left" in texts_until(session, "is left")[-1]
    logged = Follower(RunDirectory.open(tmp_path / "run")).read()
    assert [name for name, each in logged if isinstance(each, CommandSent)] == [other]


def test_a_loop_that_was_killed_or_joins_later(tmp_path: Path) -> None:
    path, clock = tmp_path / "run", Clock()
    with loop_elsewhere(path, "first") as process:
        links = HostLinks(path, "0", is_viewer=True, clock=clock)
        session = JointSession(links)
        second = ScriptLoop(path, "second")
        clock.now += 2
        session.poll()
        assert [*links.settings] == ["first", "second"]
        process.kill()
        assert any("first: its script" in text for text in texts_until(session, "killed"))
        session.extend(8)
        assert [each.variant for each in session.take_sent()] == ["second"]
        links.close()
        assert [*HostLinks(path, "0").settings] == ["second"]  # though the note of the other stays
        second.run.close()
        with pytest.raises(HostError, match="no host answers"):
            HostLinks(path, "0")
