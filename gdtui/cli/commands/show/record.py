"""`gdtui record`: the screen of a run as a file, made without a terminal."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.log.filesystem.places import find_run
from gdtui.cli.command import FILE, Flag, GdtuiCommand, Option, in_group
from gdtui.cli.commands.show.screen_size import SCREEN_SIZE, screen_size
from gdtui.cli.options.completion import STORED_RUN, stored_runs
from gdtui.cli.options.screen import screen_options
from gdtui.cli.value_types import above_zero, whole

if TYPE_CHECKING:
    import click

    from gdtui.recording.app.staging import Staging

_EXAMPLES: Final = """\
examples:
  gdtui record --replay ./my-run -o demo.cast
  gdtui record --replay ./my-run --speed 5 --keys '3s ? 4s escape 2s q' -o demo.html
  gdtui record --replay ./my-run --seconds 12 -o demo.gif
  gdtui record --replay ./my-run --speed 100 --size 80x24 -o last-screen.txt
  asciinema play demo.cast

exit status: 0 written, 1 failed, 2 usage error, 130 Ctrl+C; unless it is 0, no file was changed"""


def record(ctx: "click.Context", output: Path | None, json: bool, **values: Any) -> int:
    """Record the screen of a run, without a terminal, and write it to a file.

    The suffix of the file decides what is written: .cast is a recording for asciinema (version 2 of
    its format), .gif an animation for slides, .html a page that plays in any browser without a
    network, .txt the last screen as text. A .gif needs Pillow: pip install 'gdtui[record]'.

    A replay is recorded as fast as the machine can. The same run with the same options and keys
    gives the same bytes, whenever and wherever it is recorded.

    The recording ends when a key ends the app (q), else 3 seconds after the run and the keys have
    ended.
    """
    if output is None:
        ctx.fail("no file: give it with -o, e.g. -o demo.cast")
    if values["replay"] is None:
        ctx.fail("no run: give it with --replay, e.g. --replay ./my-run")

    from gdtui.cli.commands.show.record_run import record_stored
    from gdtui.recording.output.files import Appearance, OutputError, output_of

    title = f"gdtui · {values['replay'].name}"
    look = Appearance(title=title, font=values["font"], font_size=values["font_size"])
    try:
        made = output_of(output, look)
    except OutputError as error:
        ctx.fail(str(error))
    staging = _staging(**values)
    return record_stored(ctx, values["replay"], values["speed"], staging, made, as_json=json)


def _staging(*, size: tuple[int, int], keys: Any, **values: Any) -> "Staging":
    from gdtui.recording.app.staging import Staging

    columns, rows = size
    others = {name: values[name] for name in ("fps", "theme", "seconds")}
    return Staging(columns=columns, rows=rows, keys=keys or (), **others)


command = GdtuiCommand(
    record,
    "gdtui record --replay RUN [--speed X] [--keys SCRIPT] -o FILE [OPTIONS]",
    _EXAMPLES,
    [
        *in_group(
            "recording",
            Option("-o --output", "FILE", "a file: .cast, .gif, .html or .txt", type=FILE),
            Option(
                "--size",
                "COLUMNSxROWS",
                "size of the screen",
                type=screen_size,
                default=SCREEN_SIZE,
            ),
            Option(
                "--seconds",
                "N",
                "length of the recording",
                shown="until run and keys have ended",
                type=above_zero("a number of seconds above 0"),
            ),
            Option("--font", "FILE", "of a .gif", type=FILE, shown="a monospaced one, found here"),
            Option("--font-size", "N", "of a .gif, in pixels", type=whole(6, 64), default="13"),
            Flag("--json", "report file, size, length and frames as JSON"),
        ),
        *in_group(
            "run",
            Option("--replay", "RUN", STORED_RUN, type=find_run, shell_complete=stored_runs),
            Option(
                "--speed",
                "X",
                "how many times as fast as the run",
                default="1",
                type=above_zero("a speed factor, a number above 0"),
            ),
        ),
        *screen_options(),
    ],
)
