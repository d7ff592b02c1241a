"""The lesson's line on the main screen: G begins, refuses, goes on and comes back; esc leaves."""

from pathlib import Path

import pytest
from app_bench import NARROW, WIDE, Bench, N, evaluation, see, settle, state
from shown import ObservedApp
from textual.pilot import Pilot

from engine.log.commands import Measure, Pause, Resume
from engine.log.measurements import Sharpness
from engine.log.records import Measured, State
from gdtui.lesson.course.coach import Coach
from gdtui.lesson.course.content import load
from gdtui.lesson.course.guide import Guide


def lesson(bench: Bench) -> ObservedApp:
    """The app as `gdtui lesson` starts it."""
    guide = Guide(coach=Coach(load()), is_shown=True)
    return ObservedApp(bench.run, bench.controls, fps=4, guide=guide)


def words(app: ObservedApp) -> str:
    """The coach line, its rows joined."""
    return " ".join(" ".join(app.query_one("#coach").render_line(y).text for y in (0, 1)).split())


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await settle(pilot)


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_the_first_step_waits_for_a_bet_then_for_the_end(
    bench: Bench, size: tuple[int, int]
) -> None:
    bench.begin()
    app = lesson(bench)
    async with app.run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        assert "look" in words(app)
        await press(pilot, "G")
        await see(pilot, "not yet: the lesson waits for 1, 2 or 3")
        await press(pilot, "2")
        assert "You bet on Mini-batch" in words(app)
        await press(pilot, "G")
        assert "You bet on Mini-batch" in words(app)
        bench.finish()
        await settle(pilot)
        assert "Batch GD is lowest. Loss on all data: 0.300 / 0.400 / 0.500" in words(app)
        assert "G goes on" in words(app)
        await press(pilot, "G", "G")
        assert "fold" in words(app)


async def test_training_is_paused_once_for_the_bet_before_the_first_batch(bench: Bench) -> None:
    app = lesson(bench)
    async with app.run_test(size=NARROW) as pilot:
        await settle(pilot)
        assert [type(command) for _, command in bench.controls.told] == [Pause] * 3
        bench.begin()
        for name in bench.names:
            bench.write(name, state(State.PAUSED, 11.0, command=3))
        await settle(pilot)
        assert app.main.is_under_way, "so that keys of a script are pressed"
        await press(pilot, "2", "space")
        assert [*bench.controls.last(Resume)] == bench.names
        assert len(bench.controls.told) == 6


async def test_escape_leaves_and_g_comes_back_to_the_same_step(bench: Bench) -> None:
    bench.begin()
    app = lesson(bench)
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "1")
        await press(pilot, "escape")
        await see(pilot, "explore freely; G comes back")
        assert not app.query_one("#coach").display
        await press(pilot, "G")
        assert "You bet on Batch GD" in words(app)


async def test_the_results_are_hidden_before_the_lesson(bench: Bench) -> None:
    bench.begin()
    bench.finish()
    app = lesson(bench)
    async with app.run_test(size=NARROW) as pilot:
        await settle(pilot)
        assert app.query_one("#summary").display
        await press(pilot, "escape")
        assert app.query_one("#coach").display
        await press(pilot, "escape")
        assert not app.query_one("#coach").display


async def test_g_begins_the_lesson_in_any_app_on_its_run(bench: Bench) -> None:
    bench.begin()
    app = bench.app()
    async with app.run_test(size=NARROW) as pilot:
        await settle(pilot)
        assert not app.query_one("#coach").display
        await press(pilot, "G")
        assert "look" in words(app)


@pytest.mark.parametrize("watching", [True, False])
async def test_a_run_that_is_not_the_lessons_or_not_ours_is_no_place_for_it(
    tmp_path: Path, watching: bool
) -> None:
    bench = Bench(tmp_path / "other", "full,64,1" if watching else "64,32")
    bench.begin()
    app = bench.app(watching=watching)
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "G")
        await see(pilot, "the lesson needs its own run: gdtui lesson")
        assert not app.query_one("#coach").display


async def test_the_offer_is_one_line_that_names_the_key_until_it_is_taken_or_hidden(
    bench: Bench,
) -> None:
    bench.begin()
    guide = Guide(offer=load().words.offer)
    app = ObservedApp(bench.run, bench.controls, fps=4, guide=guide)
    async with app.run_test(size=NARROW) as pilot:
        await settle(pilot)
        assert "G starts a guided lesson" in words(app)
        assert app.query_one("#coach").size.height == 1
        await press(pilot, "escape")
        assert not app.query_one("#coach").display
        await press(pilot, "G")
        assert "look" in words(app)


async def test_a_wrong_answer_is_said_to_be_wrong_and_the_right_one_goes_on(bench: Bench) -> None:
    bench.begin()
    course = load()
    guide = Guide(coach=Coach(course, step_at=course.find("test")), is_shown=True)
    app = ObservedApp(bench.run, bench.controls, fps=4, guide=guide)
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "1")
        await see(pilot, "not that one")
        assert "why is SGD first?" in words(app)
        await press(pilot, "2")
        assert "✓ Yes" in words(app)


# --- The quadratic on top of the run --------------------------------------------------------------


@pytest.fixture
def quadratic(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "quadratic", "full")


def at_the_edge(bench: Bench, quadratic: Bench) -> ObservedApp:
    """The app at the step that opens a quadratic."""
    course = load()
    guide = Guide(coach=Coach(course, step_at=course.find("edge")), is_shown=True)
    guide.open_run = lambda _: (quadratic.run, lambda: (quadratic.controls, None))
    return ObservedApp(bench.run, bench.controls, fps=4, guide=guide)


async def settle_on_top(pilot: Pilot[None]) -> None:
    """Until what was written is on the screen in front."""
    for _ in range(3):
        pilot.app.screen.tick(figures=True)  # type: ignore[attr-defined]
        await pilot.pause()


def front_words(app: ObservedApp) -> str:
    line = app.screen.query_one("#coach")
    return " ".join(" ".join(line.render_line(y).text for y in (0, 1)).split())


async def test_the_step_opens_its_own_run_and_the_next_part_returns(
    bench: Bench, quadratic: Bench
) -> None:
    bench.begin()
    bench.finish()
    quadratic.begin()
    app = at_the_edge(bench, quadratic)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await settle_on_top(pilot)
        assert app.screen is not app.main
        assert "A quadratic: curvature –" in front_words(app)
        (name,) = quadratic.names
        quadratic.train(name, [0.7])
        await settle_on_top(pilot)
        assert [*quadratic.controls.last(Measure)] == [name]
        sharp = Sharpness(value=300.0, error=0.0, products=1, samples=10)
        measured = Measured(
            generation=1, epoch=1, updates=1, samples=10, seconds=0.0, effective_batch=N, lr=0.01,
            edge=200.0, sharpness=sharp, cost=0.0,
        )  # fmt: skip
        quadratic.write(name, measured, evaluation(1, loss=8.0))
        await settle_on_top(pilot)
        assert "the curvature may be 200, 2 ÷ lr. Here it is 300" in front_words(app)
        await pilot.press("G", "G")
        await pilot.pause()
        await settle(pilot)
        assert app.screen is app.main
        assert "Our run: 1, then" in words(app)


async def test_escape_on_the_quadratic_returns_to_the_run_and_g_opens_it_again(
    bench: Bench, quadratic: Bench
) -> None:
    bench.begin()
    quadratic.begin()
    app = at_the_edge(bench, quadratic)
    async with app.run_test(size=NARROW) as pilot:
        await settle(pilot)
        await settle_on_top(pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is app.main
        assert not app.query_one("#coach").display
        await pilot.press("G")
        await pilot.pause()
        assert app.screen is not app.main
        await settle_on_top(pilot)
        assert "A quadratic" in front_words(app)
