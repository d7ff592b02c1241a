"""A surveyor in its own process: asked at once, answered once it runs, ended when closed."""

import time
from pathlib import Path

import pytest
from sessions import PATIENCE

from engine.landscape import client
from engine.landscape.client import Surveyor
from engine.landscape.protocol import (
    AnySurveyMessage,
    LossRow,
    SurveyFailed,
    SurveyRequest,
    SurveyStarted,
)
from engine.log.directory import RunDirectory
from engine.measure.weights_log import TrailWriter, trail_path
from engine.problems import registry
from engine.settings import RunSettings, Variant, VariantSettings


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """A variant whose trail has three rows."""
    variant = Variant(name="a", settings=VariantSettings())
    made = RunDirectory.create(
        tmp_path / "run", RunSettings(variants=(variant,), device="cpu"), "0"
    )
    size = registry.load("synthetic", 0).train[0].shape[1] + 1
    writer = TrailWriter(trail_path(made.variant_log("a")), size)
    writer.begin()
    for updates in range(3):
        writer.add(1, updates, updates, 0.0, [updates / (place + 1) for place in range(size)])
    return made


def until_it_ends(surveyor: Surveyor, rows: int) -> list[AnySurveyMessage]:
    found: list[AnySurveyMessage] = []
    deadline = time.monotonic() + PATIENCE
    while not any(isinstance(each, SurveyFailed) for each in found):
        if sum(isinstance(each, LossRow) and each.rows == rows for each in found) == rows:
            break
        assert time.monotonic() < deadline
        found += surveyor.poll()
        time.sleep(0.01)
    return found


def test_what_is_asked_before_it_has_begun_is_answered(run: RunDirectory) -> None:
    surveyor = Surveyor(run)
    surveyor.request(SurveyRequest(id=7, window=None, columns=6, rows=6))
    found = until_it_ends(surveyor, rows=6)
    assert [each.id for each in found if isinstance(each, SurveyStarted)] == [7]
    surveyor.close()
    surveyor.close()
    assert surveyor.poll() == []


def test_one_that_cannot_be_started_says_so_once(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **names: object) -> None:
        raise ValueError("no such luck")

    monkeypatch.setattr(client, "start_process", fail)
    surveyor = Surveyor(run)
    (failed,) = until_it_ends(surveyor, rows=1)
    assert failed == SurveyFailed(detail="its process could not be started (no such luck)")
    assert surveyor.poll() == []
