"""Makes a recording for `gdtui record`, and reports it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from engine.log.directory import RunDirectoryError
from engine.log.filesystem.places import known_roots
from gdtui.cli.commands.runs.watch_run import open_watched
from gdtui.cli.commands.train.host.process import LoadingHost
from gdtui.cli.commands.train.run_app import run_live
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.prepare import prepare_run
from gdtui.cli.streams import print_error, print_json, print_text
from gdtui.recording.app.replaying import record_replay
from gdtui.recording.app.staging import AppCrashedError, AppInterruptedError, Staging
from gdtui.recording.app.training import record_training
from gdtui.recording.cast.footage import Footage
from gdtui.recording.output.files import Output, OutputError, write_output

if TYPE_CHECKING:
    import click

    from gdtui.app import GdtuiApp


def record_stored(
    ctx: "click.Context",
    path: Path,
    speed: float,
    staging: Staging,
    output: Output,
    *,
    as_json: bool,
) -> int:
    """Record the replay of a stored run; returns the exit status."""
    try:
        opened = open_watched([path], *known_roots(), replay=speed)
    except RunDirectoryError as error:
        ctx.fail(str(error))
    return _write(ctx, partial(record_replay, opened.shown, speed, staging), output, as_json)


def record_trained(ctx: "click.Context", staging: Staging, output: Output, *, as_json: bool) -> int:
    """Train the run that the options describe, and record it; returns the exit status."""
    try:
        loading = LoadingHost()
        options, place = prepare_run(ctx, loading.start)
    except RunDirectoryError as error:
        ctx.fail(str(error))

    def run_app(make_app: Callable[..., "GdtuiApp"]) -> int:
        return run_live(
            options.settings,
            place,
            theme=staging.theme,
            fps=staging.fps,
            keys=(),
            make_app=make_app,
            host=loading.host,
        )

    try:
        return _write(ctx, partial(record_training, run_app, staging), output, as_json)
    except RunDirectoryError as error:
        ctx.fail(str(error))


def _write(ctx: "click.Context", take: Callable[[], Footage], output: Output, as_json: bool) -> int:
    """Make the recording, write its file and report it."""
    try:
        footage = take()
        size = write_output(output, footage)
    except AppInterruptedError as error:
        return error.status
    except (AppCrashedError, OutputError) as error:
        print_error(f"{ctx.command_path}: {error}")
        return ExitCode.FAILED
    _report(output.path, footage, size, as_json=as_json)
    return ExitCode.OK


def _report(output: Path, footage: Footage, size: int, *, as_json: bool) -> None:
    frames = len(footage.frames)
    if as_json:
        fields = {
            "file": str(output),
            "bytes": size,
            "seconds": round(footage.seconds, 3),
            "frames": frames,
            "columns": footage.columns,
            "rows": footage.rows,
        }
        print_json(fields)
    else:
        print_text(f"{output}: {footage.seconds:.1f} s, {frames:,} frames, {size / 1000:,.0f} kB")
