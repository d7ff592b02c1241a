"""The lesson is offered once, on a run that it fits, if that can be remembered."""

from pathlib import Path

import pytest

from engine.settings import DEFAULT_BATCH_SIZES, RunSettings, Variant, VariantSettings
from gdtui.lesson.course.first_run import guide_for, mark_file


def settings(**different: object) -> RunSettings:
    variants = tuple(
        Variant(name=str(size), settings=VariantSettings(batch_size=size))
        for size in DEFAULT_BATCH_SIZES
    )
    return RunSettings(**({"variants": variants} | different))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


def test_it_is_offered_once() -> None:
    assert "G" in guide_for(settings()).offer
    assert mark_file().stat().st_size == 0
    assert guide_for(settings()).offer == ""


def test_another_problem_leaves_the_offer_for_later() -> None:
    assert guide_for(settings(problem="digits")).offer == ""
    assert guide_for(settings()).offer


def test_without_a_place_to_remember_it_is_never_offered(state: Path) -> None:
    state.write_text("a file where the directory should be")
    assert guide_for(settings()).offer == ""
