"""At most one frame under way: what is asked of the terminal, and what is dropped meanwhile."""

from pathlib import Path

from app_bench import Bench
from shown import text_of
from textual.events import CursorPosition

from gdtui.terminal.frame_gate import FrameGate


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_frame_is_under_way_until_the_terminal_answers() -> None:
    gate = FrameGate(Clock())
    gate.written()
    gate.answered()
    assert gate.begin_frame()
    assert gate.written()
    assert not gate.begin_frame()
    assert not gate.answered()
    assert gate.begin_frame()


def test_what_is_written_meanwhile_is_asked_for_afterwards() -> None:
    gate = FrameGate(Clock())
    assert gate.written()
    assert not gate.written()
    assert gate.answered()
    assert gate.written()
    assert not gate.begin_frame()
    assert not gate.answered()


def test_a_terminal_that_never_answers_holds_nothing_up() -> None:
    clock = Clock()
    gate = FrameGate(clock)
    assert gate.written()
    assert gate.begin_frame()
    assert not gate.written()
    assert gate.wait(60)  # not for what will never come


def test_an_answer_that_is_lost_is_not_waited_for_for_ever() -> None:
    clock = Clock()
    gate = FrameGate(clock)
    gate.written()
    gate.answered()
    gate.written()
    assert not gate.wait(0)
    clock.now = 60
    assert gate.begin_frame()
    assert gate.written()
    assert not gate.begin_frame()


async def test_a_dropped_frame_loses_nothing_that_it_would_have_shown(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    app = bench.app()
    async with app.run_test(size=(160, 45)) as pilot:
        await pilot.pause()
        bench.train("SGD", [0.5] * 50)
        app.main.tick(figures=True)
        await pilot.pause()
        before = text_of(app)
        app.frame_gate.written()
        app.frame_gate.answered()
        app.frame_gate.written()
        bench.train("SGD", [0.9] * 50, batch=51)
        await pilot.press("x")
        app.main.tick(figures=True)
        await pilot.pause()
        assert text_of(app) == before
        app.frame_gate.answered()
        assert app.frame_gate.has_dropped
        app.post_message(CursorPosition(0, 0))
        await pilot.pause()
        assert not app.frame_gate.has_dropped
        after = text_of(app)
        assert "100 updates" in after
        assert "─ updates ─" in after
