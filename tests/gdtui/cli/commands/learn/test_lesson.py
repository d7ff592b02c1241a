"""`gdtui lesson`: its list of steps, and steps that do not exist."""

import pytest

from gdtui.cli.main import main
from gdtui.lesson.course.content import load
from gdtui.lesson.course.runs import lesson_run, quadratic_run


def test_the_list_names_every_step_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lesson", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    steps = load().steps
    for place, (step, line) in enumerate(zip(steps, lines, strict=False), start=1):
        assert line.split()[:2] == [str(place), step.name]
        assert line.endswith(step.title)
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("step", ["folds", "0", "12", ""])
def test_an_unknown_step_is_a_usage_error_that_names_the_steps(
    step: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lesson", "--step", step]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert all(each.name in said for each in load().steps)


def test_without_a_terminal_it_points_to_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lesson", "--step", "fold"]) == 2
    assert "gdtui lesson --list" in capsys.readouterr().err


def test_the_quadratic_trains_where_the_lesson_does() -> None:
    lesson = lesson_run(seed=7, device="cpu,cuda:1", threads=2)
    quadratic = quadratic_run(lesson)
    assert (quadratic.seed, quadratic.device, quadratic.threads) == (7, "cpu", 2)
    assert len(quadratic.variants) == 1
