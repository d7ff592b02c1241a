"""The loop in virtual time: timers fire in order without waiting, and threads take no time."""

import asyncio
import threading
import time
from collections.abc import Coroutine
from typing import Any

from gdtui.recording.virtual.clock import VirtualClock
from gdtui.recording.virtual.loop import VirtualLoop

HOURS = 3600.0


def run(clock: VirtualClock, work: Coroutine[Any, Any, None]) -> None:
    loop = VirtualLoop(clock)
    try:
        loop.run_until_complete(work)
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def test_timers_fire_in_order_at_their_times_without_waiting() -> None:
    clock, fired = VirtualClock(), list[tuple[float, str]]()

    async def fire(after: float, name: str) -> None:
        await asyncio.sleep(after)
        fired.append((clock.now(), name))

    async def work() -> None:
        await asyncio.gather(fire(2 * HOURS, "last"), fire(0.5, "first"), fire(HOURS, "second"))

    began = time.thread_time()
    run(clock, work())
    assert fired == [(0.5, "first"), (HOURS, "second"), (2 * HOURS, "last")]
    assert time.thread_time() - began < HOURS


def test_no_time_passes_while_a_thread_works() -> None:
    clock, ended = VirtualClock(), list[float]()
    may_end = threading.Event()

    async def work() -> None:
        loop = asyncio.get_running_loop()
        ticks = loop.call_later(0.1, may_end.set)  # it would end the thread, if time passed
        began = loop.run_in_executor(None, may_end.wait, 0.2)
        ended.append(float(await began))
        ended.append(clock.now())
        ticks.cancel()

    run(clock, work())
    assert ended == [0.0, 0.0]


def test_no_time_passes_while_another_process_is_waited_for() -> None:
    clock, asked = VirtualClock(), list[float]()

    def is_waiting() -> bool:
        asked.append(clock.now())
        return len(asked) < 4

    async def work() -> None:
        await asyncio.sleep(HOURS)

    loop = VirtualLoop(clock, is_waiting)
    loop.run_until_complete(work())
    loop.close()
    assert asked == [0.0] * 4
    assert clock.now() == HOURS
