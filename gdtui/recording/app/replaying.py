"""Records a replay in virtual time: the same run and keys give the same frames, on any machine."""

from gdtui.recording.app.environment import neutral_environment
from gdtui.recording.app.staging import AppCrashedError, AppInterruptedError, Staging
from gdtui.recording.cast.footage import Footage, Frame
from gdtui.recording.cast.frames import FrameSampler
from gdtui.recording.emulator.screen import TerminalScreen
from gdtui.recording.virtual.clock import VirtualClock, screen_time
from gdtui.state.overlay.shown_runs import ShownRuns
from gdtui.state.replay import Replay
from gdtui.terminal.stdio import screen_of_its_own


def record_replay(shown: ShownRuns, speed: float, staging: Staging) -> Footage:
    """Play a stored run in the app, without a terminal, as fast as the machine can.

    `speed`: how many times as fast as the run the recording is. Must be called before Textual is
    imported. Raises AppCrashedError or AppInterruptedError if there is no recording.
    """
    clock = VirtualClock()
    (run,) = shown.runs
    replay = Replay(run, speed, clock.now)
    frames: list[Frame] = []
    screen = TerminalScreen(staging.columns, staging.rows)
    sampler = FrameSampler(screen, staging.fps, lambda at, text: frames.append((at, text)))
    with screen_time(clock), neutral_environment(staging.colors), screen_of_its_own(None):
        from gdtui.recording.app.recorded_app import RecordedApp
        from gdtui.recording.virtual.loop import VirtualLoop

        app = RecordedApp(
            shown,
            None,
            source=replay,
            staging=staging,
            paint=lambda text: sampler.write(clock.now(), text),
            is_over=lambda: replay.has_ended or replay.is_paused,
        )
        loop = VirtualLoop(clock, app.is_waiting)
        try:
            app.run(loop=loop)
        finally:
            app.close_lab()
            loop.close()
    sampler.finish(clock.now())
    if app.crash:
        raise AppCrashedError(app.crash)
    if app.return_code:
        raise AppInterruptedError(app.return_code)
    return Footage(staging.columns, staging.rows, tuple(frames), screen.text())
