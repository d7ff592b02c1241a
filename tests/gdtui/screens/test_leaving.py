"""Leaving the screen: the run stops, goes on, or the user is asked."""

from pathlib import Path

import pytest

from gdtui.screens.leaving import LeaveScreen, Leaving


class FakeApp:
    """Takes the place of the app: notes its end and what is on screen."""

    def __init__(self) -> None:
        self.screen: object = None
        self.status: int | None = None
        self.answer: object = None

    def exit(self, *, return_code: int) -> None:
        self.status = return_code

    def push_screen(self, screen: object, heed: object) -> None:
        self.screen, self.answer = screen, heed


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def leaving(*, is_starter: bool, is_scripted: bool = False, age: float = 0.0) -> Leaving:
    clock = Seconds()
    made = Leaving(Path("run"), is_starter=is_starter, is_scripted=is_scripted, clock=clock)
    clock.now = age
    return made


@pytest.mark.parametrize(
    ("is_starter", "is_scripted", "age", "status", "is_training", "is_asked"),
    [
        (True, False, 59, 0, True, False),
        (True, False, 61, 0, True, True),
        (True, False, 61, 0, False, False),
        (True, False, 61, 130, True, False),
        (True, True, 61, 0, True, False),
        (False, False, 0, 0, True, True),
        (False, False, 0, 0, False, False),
        (False, True, 0, 0, True, False),
    ],
)
def test_only_hours_of_work_are_asked_about(
    is_starter: bool, is_scripted: bool, age: float, status: int, is_training: bool, is_asked: bool
) -> None:
    app = FakeApp()
    way = leaving(is_starter=is_starter, is_scripted=is_scripted, age=age)
    way.leave(app, status, is_training)  # type: ignore[arg-type]
    assert isinstance(app.screen, LeaveScreen) == is_asked
    assert app.status == (None if is_asked else status)


@pytest.mark.parametrize(
    ("is_starter", "status", "must_stop"),
    [
        (True, 0, True),
        (True, 130, True),
        (True, 143, True),
        (True, 129, False),
        (True, 1, False),
        (False, 0, False),
        (False, 130, False),
    ],
)
def test_a_lost_terminal_ends_no_training(is_starter: bool, status: int, must_stop: bool) -> None:
    assert leaving(is_starter=is_starter).must_stop(status) == must_stop


@pytest.mark.parametrize(
    ("answer", "status", "must_stop"),
    [("stop", 0, True), ("detach", 0, False), ("stay", None, False), (None, None, False)],
)
def test_the_answer_decides(answer: str | None, status: int | None, must_stop: bool) -> None:
    app, way = FakeApp(), leaving(is_starter=False)
    way.leave(app, 0, True)  # type: ignore[arg-type]
    app.answer(answer)  # type: ignore[operator]
    assert app.status == status
    assert way.must_stop(0) == must_stop


def test_detaching_leaves_a_run_of_any_age_alone() -> None:
    app, way = FakeApp(), leaving(is_starter=True)
    way.leave(app, 0, True, detaches=True)  # type: ignore[arg-type]
    assert app.status == 0
    assert not way.must_stop(0)
