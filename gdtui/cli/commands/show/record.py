"""`gdtui record`: the screen of a run as a file, made without a terminal."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from click.core import ParameterSource

from engine.log.filesystem.places import find_run
from engine.settings.text import clean
from gdtui.cli.command import FILE, Flag, GdtuiCommand, Option, in_group
from gdtui.cli.options.completion import STORED_RUN, stored_runs, words
from gdtui.cli.options.run import APP_PACE, run_options
from gdtui.cli.options.screen import screen_options
from gdtui.cli.recording.screen_size import SCREEN_SIZE, screen_size
from gdtui.cli.value_types import above_zero, choice, duration_above_zero, whole
from gdtui.recording.app.environment import COLOR_SYSTEMS

if TYPE_CHECKING:
    import click

    from gdtui.recording.app.staging import Staging

_EXAMPLES: Final = """\
examples:
  gdtui record --replay ./my-run -o demo.cast
  gdtui record --problem digits --seconds 20 -o digits.cast
  gdtui record --replay ./my-run --speed 5 --keys '3s ? 4s escape 2s q' -o demo.html
  gdtui record --replay ./my-run --seconds 12 -o demo.gif
  gdtui record --replay ./my-run --speed 100 --size 80x24 -o last-screen.txt
  asciinema play demo.cast

exit status: 0 written, 1 failed, 2 usage error, 130 Ctrl+C; unless it is 0, no file was changed"""


def record(ctx: "click.Context", output: Path | None, json: bool, **values: Any) -> int:
    """Record the app, without a terminal, and write its screen to a file.

    With --replay it plays a stored run, else it trains one, as gdtui does with the same options.

    The suffix of the file decides what is written: .cast is a recording for asciinema (version 2 of
    its format), .gif an animation for slides, .html a page that plays in any browser without a
    network, .png and .txt the last screen as picture or text. A .gif or .png needs Pillow:
    pip install 'gdtui[record]'.

    A replay is recorded as fast as the machine can. The same run with the same options and keys
    gives the same bytes, whenever and wherever it is recorded. A training is recorded as it goes;
    its run can be replayed later.

    The recording ends when a key ends the app (q), else 3 seconds after the keys have been played
    and the run has ended or is paused.
    """
    if output is None:
        ctx.fail("no file: give it with -o, e.g. -o demo.cast")
    _check_replay(ctx, values["replay"])

    from gdtui.cli.commands.show.record_run import record_stored, record_trained
    from gdtui.recording.output.files import Appearance, OutputError, output_of

    replay: Path | None = values["replay"]
    title = "gdtui" if replay is None else clean(f"gdtui · {replay.name}")
    look = Appearance(title=title, font=values["font"], font_size=values["font_size"])
    try:
        made = output_of(output, look)
    except OutputError as error:
        ctx.fail(str(error))
    staging = _staging(**values)
    if replay is None:
        return record_trained(ctx, staging, made, as_json=json)
    return record_stored(ctx, replay, values["speed"], staging, made, as_json=json)


def _check_replay(ctx: "click.Context", replay: Path | None) -> None:
    """Refuse options that would have no effect."""
    for option in command.options:
        is_typed = ctx.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
        if is_typed and replay is None and option.name == "speed":
            ctx.fail("--speed is the speed of a replay: add --replay RUN, or use --pace")
        if is_typed and replay is not None and option in _RUN_OPTIONS:
            ctx.fail(f"{option.opts[0]} has no effect on a replay, which shows the run as it went")


def _staging(*, size: tuple[int, int], keys: Any, **values: Any) -> "Staging":
    from gdtui.recording.app.staging import Staging

    columns, rows = size
    others = {name: values[name] for name in ("fps", "theme", "seconds", "colors")}
    return Staging(columns=columns, rows=rows, keys=keys or (), **others)


_RUN_OPTIONS: Final = run_options(pace=APP_PACE)

command = GdtuiCommand(
    record,
    "gdtui record [--replay RUN [--speed X]] [--keys SCRIPT] -o FILE [OPTIONS]",
    _EXAMPLES,
    [
        *in_group(
            "recording",
            Option("-o --output", "FILE", "a file: .cast, .gif, .html, .png or .txt", type=FILE),
            Option(
                "--size",
                "COLUMNSxROWS",
                "size of the screen",
                type=screen_size,
                default=SCREEN_SIZE,
            ),
            Option(
                "--seconds",
                "TIME",
                "length of the recording: 20, 90s or 1m30s",
                shown="until run and keys have ended",
                type=duration_above_zero,
            ),
            Option(
                "--font",
                "FILE",
                "of a .gif or .png",
                type=FILE,
                shown="a monospaced one, found here",
            ),
            Option(
                "--font-size", "N", "of a .gif or .png, in pixels", type=whole(6, 64), default="13"
            ),
            Option(
                "--colors",
                "N",
                "colours of the virtual terminal: truecolor, 256 or 16",
                type=choice(COLOR_SYSTEMS),
                default="truecolor",
                shell_complete=words(COLOR_SYSTEMS),
            ),
            Flag("--json", "report file, size, length and frames as JSON"),
        ),
        *in_group(
            "replay",
            Option("--replay", "RUN", STORED_RUN, type=find_run, shell_complete=stored_runs),
            Option(
                "--speed",
                "X",
                "how many times as fast as the run",
                default="1",
                type=above_zero("a speed factor, a number above 0"),
            ),
        ),
        *screen_options(records=False),
        *_RUN_OPTIONS,
    ],
)
