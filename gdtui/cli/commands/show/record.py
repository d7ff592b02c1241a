"""`gdtui record`: the screen of a run as a file, made without a terminal."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.log.filesystem.places import find_run, known_roots
from gdtui.cli.command import FILE, Flag, GdtuiCommand, Option, in_group
from gdtui.cli.commands.show.screen_size import SCREEN_SIZE, screen_size
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.options.completion import STORED_RUN, stored_runs
from gdtui.cli.options.screen import screen_options
from gdtui.cli.streams import print_error, print_json, print_text
from gdtui.cli.value_types import above_zero

if TYPE_CHECKING:
    import click

    from gdtui.keys.script import Press
    from gdtui.recording.app.replaying import Staging
    from gdtui.recording.cast.footage import Footage

_EXAMPLES: Final = """\
examples:
  gdtui record --replay ./my-run -o demo.cast
  gdtui record --replay ./my-run --speed 5 --keys '3s ? 4s escape 2s q' -o demo.cast
  gdtui record --replay ./my-run --speed 100 --size 80x24 -o last-screen.txt
  asciinema play demo.cast

exit status: 0 written, 1 failed, 2 usage error, 130 Ctrl+C; unless it is 0, no file was changed"""


def record(
    ctx: "click.Context",
    output: Path | None,
    size: tuple[int, int],
    seconds: float | None,
    json: bool,
    replay: Path | None,
    speed: float,
    keys: "tuple[Press, ...] | None",
    **screen: Any,
) -> int:
    """Record the screen of a run, without a terminal, and write it to a file.

    The suffix of the file decides what is written: .cast is a recording for asciinema (version 2 of
    its format), .txt the last screen as text.

    A replay is recorded as fast as the machine can. The same run with the same options and keys
    gives the same bytes, whenever and wherever it is recorded.

    The recording ends when a key ends the app (q), else 3 seconds after the run and the keys have
    ended.
    """
    if output is None:
        ctx.fail("no file: give it with -o, e.g. -o demo.cast")
    if replay is None:
        ctx.fail("no run: give it with --replay, e.g. --replay ./my-run")

    from gdtui.recording.app.replaying import Staging
    from gdtui.recording.output.files import OutputError, check_output

    columns, rows = size
    staging = Staging(columns=columns, rows=rows, seconds=seconds, keys=keys or (), **screen)
    try:
        check_output(output)
    except OutputError as error:
        ctx.fail(str(error))
    return _record(ctx, output, staging, (replay, speed), as_json=json)


def _record(
    ctx: "click.Context",
    output: Path,
    staging: "Staging",
    replay: tuple[Path, float],
    *,
    as_json: bool,
) -> int:
    from engine.log.directory import RunDirectoryError
    from gdtui.cli.commands.runs.watch_run import open_watched
    from gdtui.recording.app.replaying import AppCrashedError, AppInterruptedError, record_replay
    from gdtui.recording.output.files import MAKERS, OutputError, write_output

    run, speed = replay
    try:
        opened = open_watched([run], *known_roots(), replay=speed)
    except RunDirectoryError as error:
        ctx.fail(str(error))
    try:
        footage = record_replay(opened.shown, speed, staging)
        content = MAKERS[output.suffix.lower()](footage, f"gdtui · {run.name}")
        write_output(output, content)
    except AppInterruptedError as error:
        return error.status
    except (AppCrashedError, OutputError) as error:
        print_error(f"{ctx.command_path}: {error}")
        return ExitCode.FAILED
    _report(output, footage, len(content), as_json=as_json)
    return ExitCode.OK


def _report(output: Path, footage: "Footage", size: int, *, as_json: bool) -> None:
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


command = GdtuiCommand(
    record,
    "gdtui record --replay RUN [--speed X] [--keys SCRIPT] -o FILE [OPTIONS]",
    _EXAMPLES,
    [
        *in_group(
            "recording",
            Option("-o --output", "FILE", "the file to write: .cast or .txt", type=FILE),
            Option(
                "--size", "COLUMNSxROWS", "size of the screen", type=screen_size,
                default=SCREEN_SIZE,
            ),
            Option(
                "--seconds", "N", "length of the recording", shown="until run and keys have ended",
                type=above_zero("a number of seconds above 0"),
            ),
            Flag("--json", "report file, size, length and frames as JSON"),
        ),
        *in_group(
            "run",
            Option("--replay", "RUN", STORED_RUN, type=find_run, shell_complete=stored_runs),
            Option(
                "--speed", "X", "how many times as fast as the run", default="1",
                type=above_zero("a speed factor, a number above 0"),
            ),
        ),
        *screen_options(),
    ],
)  # fmt: skip
