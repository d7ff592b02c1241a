"""The facts of a run are the figures of its JSON."""

from collections.abc import Callable

import pytest

from engine.log.directory import RunDirectory
from engine.log.figures.batch_noise import BatchNoise
from engine.log.follow import Follower
from engine.log.json_report import report
from engine.log.summary import Tally
from gdtui.lesson.course.facts import facts_of
from gdtui.state.store import Store


def test_the_facts_are_those_of_the_runs_json(make_run: Callable[..., RunDirectory]) -> None:
    run = make_run(epochs=3)
    store = Store(run.info.settings)
    tallies = {
        one.name: Tally(one.name, one.settings, batch_noise=BatchNoise())
        for one in run.info.settings.variants
    }
    for name, record in Follower(run).read(10**6):
        store.add(name, record)
        tallies[name].add(record)
    now = facts_of(store, choices=2, choice=1)
    for one, told in zip(now.variants, report(run, list(tallies.values())).variants, strict=True):
        assert one.sigma == pytest.approx(told.sigma, rel=1e-9)
        for field in ("name", "full_loss", "growth", "updates", "samples", "lr", "state"):
            assert getattr(one, field) == getattr(told, field), field
        assert one.batch == told.batch_size
        assert [loss for _, loss in one.losses] == [1 / (1 + epoch) for epoch in range(4)]
    assert (now.choices, now.choice, now.has_ended, now.distance) == (2, 1, True, 0.0)
    assert not now.is_lesson_run
