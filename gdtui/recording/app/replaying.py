"""Records a replay in virtual time: the same run and keys give the same frames, on any machine."""

import contextlib
import os
from collections.abc import Iterator
from typing import Final

from gdtui.recording.app.staging import AppCrashedError, AppInterruptedError, Staging
from gdtui.recording.cast.footage import Footage, Frame
from gdtui.recording.cast.frames import FrameSampler
from gdtui.recording.emulator.screen import TerminalScreen
from gdtui.recording.virtual.clock import VirtualClock, screen_time
from gdtui.state.overlay.shown_runs import ShownRuns
from gdtui.state.replay import Replay
from gdtui.terminal.stdio import screen_of_its_own

_LOOK: Final = {"TEXTUAL_COLOR_SYSTEM": "truecolor"}
"""Environment of a recording: it does not depend on the terminal of whoever records."""
_LOOKS: Final = ("TEXTUAL", "NO_COLOR")
"""The beginnings of the variables by which Textual changes what it paints."""


def record_replay(shown: ShownRuns, speed: float, staging: Staging) -> Footage:
    """Play a stored run in the app, without a terminal, as fast as the machine can.

    `speed`: how many times as fast as the run the recording is. Must be called before Textual is
    imported.
    """
    clock = VirtualClock()
    (run,) = shown.runs
    replay = Replay(run, speed, clock.now)
    frames: list[Frame] = []
    screen = TerminalScreen(staging.columns, staging.rows)
    sampler = FrameSampler(screen, staging.fps, lambda at, text: frames.append((at, text)))
    with screen_time(clock), _neutral_environment(), screen_of_its_own(None):
        from gdtui.recording.app.recorded_app import RecordedApp
        from gdtui.recording.virtual.loop import VirtualLoop

        app = RecordedApp(
            shown,
            None,
            fps=staging.fps,
            theme=staging.theme,
            source=replay,
            paint=lambda text: sampler.write(clock.now(), text),
            presses=staging.keys,
            is_over=lambda: replay.has_ended,
            seconds=staging.seconds,
        )
        loop = VirtualLoop(clock)
        try:
            app.run(size=(staging.columns, staging.rows), loop=loop)
        finally:
            app.close_lab()
            loop.close()
    sampler.finish(clock.now())
    if app.crash:
        raise AppCrashedError(app.crash)
    if app.return_code:
        raise AppInterruptedError(app.return_code)
    return Footage(staging.columns, staging.rows, tuple(frames), screen.text())


@contextlib.contextmanager
def _neutral_environment() -> Iterator[None]:
    before = dict(os.environ)
    for name in before:
        if name.startswith(_LOOKS):
            del os.environ[name]
    os.environ.update(_LOOK)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
