"""Stop and go on in one process, between given turns of the app's loop."""

import asyncio
import os
import signal
from types import SimpleNamespace

import pytest

from gdtui.terminal.driver import GatedDriver
from gdtui.terminal.frame_gate import FrameGate

TURNS = 4
"""The loop reads a signal in the first turn after it, hears it in the next, then waits three."""


@pytest.fixture
def stops(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The signals with which the process would have stopped itself."""
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda _pid, number: sent.append(number))
    return sent


async def stop_and_go_on(turns: int | None) -> None:
    """Send a SIGTSTP, and a SIGCONT so many turns of the loop later; None: never."""
    driver = GatedDriver(SimpleNamespace(frame_gate=FrameGate()), size=(80, 24))
    assert driver.can_suspend
    signal.raise_signal(signal.SIGTSTP)
    for turn in range(2 * TURNS):
        if turn == turns:
            signal.raise_signal(signal.SIGCONT)
        await asyncio.sleep(0)


@pytest.mark.parametrize("turns", range(TURNS))
def test_a_stop_taken_back_at_any_turn_is_none(stops: list[int], turns: int) -> None:
    asyncio.run(stop_and_go_on(turns))
    assert stops == []


def test_a_stop_that_is_not_taken_back_stops(stops: list[int]) -> None:
    asyncio.run(stop_and_go_on(None))
    assert stops == [signal.SIGSTOP]
