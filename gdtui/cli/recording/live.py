"""`--record FILE`: a recording of the app, made while it is used."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gdtui.cli.streams import print_error

if TYPE_CHECKING:
    import click

    from gdtui.app import GdtuiApp
    from gdtui.recording.live.sinks import Sink

MakeApp = Callable[..., "GdtuiApp"]


@contextlib.contextmanager
def live_recording(ctx: "click.Context", path: Path | None, fps: float) -> Iterator[MakeApp | None]:
    """Yield the function that makes an app which is recorded into this file; None without a file.

    At the end, reports the file on stderr. Raises click.UsageError if it cannot be written.
    """
    if path is None:
        yield None
        return
    from gdtui.recording.live.recorder import ScreenRecorder

    recorder = ScreenRecorder(_sink(ctx, path), fps)

    def make(*arguments: Any, **options: Any) -> "GdtuiApp":
        from gdtui.recording.live.app import WatchedApp

        return WatchedApp(*arguments, recorder=recorder, **options)

    try:
        yield make
    finally:
        recorder.stop()
        if recorder.trouble:
            reason = recorder.trouble
            print_error(f"gdtui: the recording ended after {recorder.seconds:.1f} s: {reason}")
        elif recorder.frames:
            shown = f"{recorder.frames:,} frames, {recorder.size / 1000:,.0f} kB"
            print_error(f"{path}: {recorder.seconds:.1f} s, {shown}")


def _sink(ctx: "click.Context", path: Path) -> "Sink":
    from gdtui.recording.live.sinks import CastStream, Collected
    from gdtui.recording.output.files import Appearance, OutputError, output_of

    try:
        output = output_of(path, Appearance(title="gdtui"))
    except OutputError as error:
        ctx.fail(f"--record: {error}")
    return CastStream(path, "gdtui") if path.suffix.lower() == ".cast" else Collected(output)
