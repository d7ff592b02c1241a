"""The keys of a replay: they pause it and change its speed, or say that they cannot."""

from pathlib import Path

import pytest
from replay_logs import Clock, two_variants

from engine.log.directory import RunDirectory
from gdtui.control.replay_controller import REPLAYING, ReplayController
from gdtui.state.replay import Replay
from gdtui.state.store import Store


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return two_variants(tmp_path / "run")


def test_keys_reach_the_replay_or_say_that_they_cannot(run: RunDirectory) -> None:
    replay, store = Replay(run, 1.0, Clock()), Store(run.info.settings)
    keys = ReplayController(store, replay)
    assert keys.pause() == []
    assert replay.is_paused
    assert keys.pause() == []
    assert not replay.is_paused
    keys.pace(1)
    assert replay.speed == 2.0
    keys.pace(-1), keys.pace(-1)
    assert replay.speed == 0.5
    for said in (
        keys.batch(store.states, 1), keys.lr(store.states, 1), keys.accumulation(store.states, 1),
        keys.momentum(store.states), keys.restart(store.states), keys.scaling(True),
        keys.scaling(False), keys.step(store.states), keys.extend(),
    ):  # fmt: skip
        assert said[0] == REPLAYING
        assert len(said) == 1
    keys.pause()
    keys.free()
    list(replay.read(1000))
    assert replay.has_ended
    assert all("ended" in said[0] for said in (keys.pause(), keys.pace(1), keys.free()))


def test_the_ends_of_the_ladder_are_said(run: RunDirectory) -> None:
    replay = Replay(run, 1000.0)
    keys = ReplayController(Store(run.info.settings), replay)
    assert "×1000" in keys.pace(1)[0]
    assert replay.speed == 1000.0
