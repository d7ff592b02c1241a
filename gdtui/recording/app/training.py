"""Records a run while it trains, on a virtual terminal, in real time."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gdtui.recording.app.environment import neutral_environment
from gdtui.recording.app.staging import AppInterruptedError, Staging
from gdtui.recording.cast.footage import Footage, Frame
from gdtui.recording.cast.frames import FrameSampler
from gdtui.recording.emulator.screen import TerminalScreen

if TYPE_CHECKING:
    from gdtui.app import GdtuiApp

RunApp = Callable[[Callable[..., "GdtuiApp"]], int]
"""Trains and runs the app that this function makes; returns the exit status."""


def record_training(run_app: RunApp, staging: Staging) -> Footage:
    """The recording of an app that trains.

    Raises AppInterruptedError if there is none, with the status of the app, which has reported why.
    """
    frames: list[Frame] = []
    screen = TerminalScreen(staging.columns, staging.rows)
    sampler = FrameSampler(screen, staging.fps, lambda at, text: frames.append((at, text)))
    began = time.monotonic()

    def make(*arguments: Any, **options: Any) -> "GdtuiApp":
        from gdtui.recording.app.recorded_app import RecordedApp

        nonlocal began
        began = time.monotonic()

        def paint(text: str) -> None:
            sampler.write(time.monotonic() - began, text)

        return RecordedApp(*arguments, staging=staging, paint=paint, **options)

    with neutral_environment(staging.colors):
        status = run_app(make)
    if status:
        raise AppInterruptedError(status)
    sampler.finish(time.monotonic() - began)
    return Footage(staging.columns, staging.rows, tuple(frames), screen.text())
