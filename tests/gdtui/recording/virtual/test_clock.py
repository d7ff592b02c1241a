"""The virtual time is shown to the screen's code, and to nothing else."""

import sys
import time
from types import FunctionType

import pytest

from gdtui.recording.virtual.clock import VirtualClock, screen_time


def time_seen_by(module: str) -> float:
    """The time that a function of this module reads."""
    read = FunctionType((lambda: time.monotonic()).__code__, {"__name__": module, "time": time})
    return float(read())


def test_only_the_screen_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "textual", raising=False)
    clock = VirtualClock()
    clock.advance(12.5)
    real = time.monotonic()
    with screen_time(clock):
        seen = {name: time_seen_by(name) for name in ("gdtui.x", "textual", "rich.a.b")}
        others = {name: time_seen_by(name) for name in ("engine.jobs", "threading", "textual_x")}
    assert set(seen.values()) == {12.5}
    assert min(others.values()) >= real
    assert time_seen_by("gdtui.x") >= real, "and it ends"


def test_it_refuses_to_begin_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "textual", sys)
    with pytest.raises(RuntimeError, match="before textual"), screen_time(VirtualClock()):
        pass
