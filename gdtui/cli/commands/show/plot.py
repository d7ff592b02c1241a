"""`gdtui plot`: the comparison of runs as a picture, for a slide or a paper."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.log.filesystem.places import find_run, known_roots
from gdtui.chart.scene.polyline import Axis
from gdtui.cli.command import FILE, Argument, Flag, GdtuiCommand, Option, in_group
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.options.completion import STORED_RUN, stored_runs, words
from gdtui.cli.options.theme import theme_option
from gdtui.cli.streams import print_error, print_json, print_text
from gdtui.cli.value_types import choice, number, whole
from gdtui.history.smoothing import SMOOTHING_LADDER
from gdtui.plot.format import FORMATS, SUFFIXES, PlotFormat

if TYPE_CHECKING:
    import click

    from gdtui.chart.scene.picture import Picture
    from gdtui.state.overlay.opening import OpenedRuns
    from gdtui.view.view_state import ViewState

_EXAMPLES: Final = """\
examples:
  gdtui plot ./my-run -o loss.png                          for a slide, 16:9
  gdtui plot ./baseline ./warmup -o loss.pdf --size column     for one column of a paper
  gdtui plot ./my-run -o loss.svg --x seconds --log --smooth 1

exit status: 0 written, 1 a log is damaged (what it holds is drawn) or the file cannot be written,
2 usage error"""


def plot(
    ctx: "click.Context", run_dirs: tuple[Path, ...], output: Path | None, **values: Any
) -> int:
    """Draw the losses of runs into a file: .png, .svg or .pdf, by its suffix.

    The chart is that of the screen: smoothed lines over bands of 80% of the batch losses, ◆ losses
    on all data, ◇ on held-out data, dotted marks where a setting changed, dashed curves from before
    a restart. Several runs are overlaid, and so are the arms of a sweep.

    Needs matplotlib: pip install 'gdtui[plot]'. The same run and options give the same bytes.
    """
    if output is None:
        ctx.fail("no file: give it with -o, e.g. -o loss.png")
    if output.suffix.lower() not in SUFFIXES:
        ctx.fail(f"{output}: unknown suffix {output.suffix!r}; choose from {', '.join(SUFFIXES)}")
    try:
        from gdtui.plot.drawing import drawn
    except ImportError:
        ctx.fail("plotting needs matplotlib: pip install 'gdtui[plot]'")

    from gdtui.theme import THEMES

    theme, form = THEMES[values["theme"]], FORMATS[values["size"]]
    opened, picture = _read(ctx, run_dirs, form, values)
    dpi, title = values["dpi"], values["title"] or ""
    content = drawn(picture, theme, form, output.suffix.lower(), dpi=dpi, title=title)
    try:
        output.write_bytes(content)
    except OSError as error:
        print_error(f"{ctx.command_path}: cannot write {output}: {error.strerror}")
        return ExitCode.FAILED
    size = round(form.width * dpi), round(form.height * dpi)
    return _report(ctx, output, opened, size, as_json=values["json"])


def _read(
    ctx: "click.Context", run_dirs: tuple[Path, ...], form: PlotFormat, values: dict[str, Any]
) -> "tuple[OpenedRuns, Picture]":
    """The runs and their chart; raises UsageError if there is none."""
    from engine.log.directory import RunDirectoryError
    from gdtui.cli.commands.runs.watch_run import open_watched
    from gdtui.plot.comparison import NothingToPlotError, comparison, read_all, without_ghosts

    try:
        opened = open_watched(run_dirs, *known_roots(), replay=None)
        store = read_all(opened.shown, opened.source)
        view = _view(values)
        if values["no_ghosts"]:
            view = without_ghosts(view, store)
        return opened, comparison(store, view, form)
    except (RunDirectoryError, NothingToPlotError) as error:
        ctx.fail(str(error))


def _view(values: dict[str, Any]) -> "ViewState":
    from gdtui.theme import THEMES, colours, ink
    from gdtui.view.view_state import ViewState

    theme = THEMES[values["theme"]]
    return ViewState(
        axis=Axis(values["x"]),
        log=values["log"],
        smoothing=values["smooth"],
        raw=values["raw"],
        colours=colours(theme),
        ink=ink(theme),
    )


def _report(
    ctx: "click.Context",
    output: Path,
    opened: "OpenedRuns",
    size: tuple[int, int],
    *,
    as_json: bool,
) -> int:
    """Report the file, and the damage that was found while the runs were read."""
    notices = opened.source.notices()
    for notice in notices:
        print_error(f"{ctx.command_path}: {notice.text}")
    width, height = size
    if as_json:
        runs = [str(run.path) for run in opened.shown.runs]
        print_json({"file": str(output), "width": width, "height": height, "runs": runs})
    else:
        shown = f", {width} × {height} pixels" if output.suffix.lower() == ".png" else ""
        print_text(f"{output}{shown}")
    return ExitCode.FAILED if notices else ExitCode.OK


def _smoothing(text: str) -> float:
    from click import BadParameter

    known = ", ".join(f"{each:g}" for each in SMOOTHING_LADDER)
    if (value := number(text)) not in SMOOTHING_LADDER:
        raise BadParameter(f"{text!r}: choose from {known}")
    return value


command = GdtuiCommand(
    plot,
    "gdtui plot [RUN …] -o FILE [OPTIONS]",
    _EXAMPLES,
    [
        *in_group(
            "input and output",
            Argument("run_dirs", "RUN", f"{STORED_RUN}; several, to compare them [the newest run]",
                     type=find_run, nargs=-1, required=False, shell_complete=stored_runs),
            Option("-o --output", "FILE", "a file: .png, .svg or .pdf", type=FILE),
            Flag("--json", "report file, size in pixels and runs as JSON"),
        ),
        *in_group(
            "chart",
            Option("--size", "NAME", f"{', '.join(FORMATS)}", type=choice(FORMATS), default="16:9",
                   shell_complete=words(FORMATS)),
            Option("--x", "UNIT", "samples, updates or seconds", type=choice(map(str, Axis)),
                   default="samples", shell_complete=words(map(str, Axis))),
            Flag("--log", "a logarithmic loss axis"),
            Option("--smooth", "EPOCHS", "time constant of the lines, in epochs: 0.25, 1 or 4",
                   type=_smoothing, default="0.25",
                   shell_complete=words(f"{each:g}" for each in SMOOTHING_LADDER)),
            Flag("--raw", "every batch instead of smoothed lines"),
            Flag("--no-ghosts", "leave out the curves from before a restart"),
            Option("--title", "TEXT", "a line above the chart", shown="none"),
            Option("--dpi", "N", "pixels per inch of a .png", type=whole(30, 1200), default="150"),
            theme_option(),
        ),
    ],
)  # fmt: skip
