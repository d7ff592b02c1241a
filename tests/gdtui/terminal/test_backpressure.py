"""At most one frame under way: what is asked of the terminal, and what is dropped meanwhile."""

from pathlib import Path

from app_bench import Bench, text_of
from textual.events import CursorPosition

from gdtui.terminal.backpressure import Pacer


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_frame_is_under_way_until_the_terminal_answers() -> None:
    pacer = Pacer(Clock())
    pacer.written()
    pacer.answered()
    assert pacer.begin_frame()
    assert pacer.written()
    assert not pacer.begin_frame()
    assert not pacer.answered()
    assert pacer.begin_frame()


def test_what_is_written_meanwhile_is_asked_for_afterwards() -> None:
    pacer = Pacer(Clock())
    assert pacer.written()
    assert not pacer.written()
    assert pacer.answered()
    assert pacer.written()
    assert not pacer.begin_frame()
    assert not pacer.answered()


def test_a_terminal_that_never_answers_holds_nothing_up() -> None:
    clock = Clock()
    pacer = Pacer(clock)
    assert pacer.written()
    assert pacer.begin_frame()
    assert not pacer.written()
    assert pacer.wait(60)  # not for what will never come


def test_an_answer_that_is_lost_is_not_waited_for_for_ever() -> None:
    clock = Clock()
    pacer = Pacer(clock)
    pacer.written()
    pacer.answered()
    pacer.written()
    assert not pacer.wait(0)
    clock.now = 60
    assert pacer.begin_frame()
    assert pacer.written()
    assert not pacer.begin_frame()


async def test_a_dropped_frame_loses_nothing_that_it_would_have_shown(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    app = bench.app()
    async with app.run_test(size=(160, 45)) as pilot:
        await pilot.pause()
        bench.train("SGD", [0.5] * 50)
        app.live.tick(figures=True)
        await pilot.pause()
        before = text_of(app)
        app.pacer.written()
        app.pacer.answered()
        app.pacer.written()
        bench.train("SGD", [0.9] * 50, batch=51)
        await pilot.press("x")
        app.live.tick(figures=True)
        await pilot.pause()
        assert text_of(app) == before
        app.pacer.answered()
        assert app.pacer.has_dropped
        app.post_message(CursorPosition(0, 0))
        await pilot.pause()
        assert not app.pacer.has_dropped
        after = text_of(app)
        assert "100 updates" in after
        assert "─ updates ─" in after
