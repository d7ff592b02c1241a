"""`gdtui` without a subcommand: trains and shows the training on the screen.

Imports nothing heavy until the options are known to be valid: the app paints before it loads
anything.
"""

from typing import TYPE_CHECKING, Any, Final

from gdtui import __version__
from gdtui.cli.command import GdtuiCommand, in_group, telling_flag
from gdtui.cli.options.run import APP_PACE, run_options
from gdtui.cli.options.screen import linger_option, screen_options
from gdtui.cli.streams import check_screen

if TYPE_CHECKING:
    import click

_USAGE: Final = """\
gdtui [OPTIONS]                   train on screen, and change settings while it trains
       gdtui train [OPTIONS] [--json]    the same without a screen
       gdtui resume RUN                  go on with a run that has ended, exactly
       gdtui attach [RUN]                the screen, with control, on a run of another process
       gdtui send RUN COMMAND            a setting of a run that is training; for scripts
       gdtui stop RUN                    end a run
       gdtui watch [RUN_DIR]             the screen for a run of another process, or one that ended
       gdtui lesson                      the guided lesson: ten minutes, step by step
       gdtui experiment [NAME]           one claim of the lesson, tested over many seeds
       gdtui sweep [OPTIONS]             the trade-off table, measured, and a recommendation
       gdtui record --replay RUN -o FILE the screen as a file, to show to others
       gdtui plot RUN … -o FILE          a chart of runs, for a slide or a paper
       gdtui serve [RUN …]               runs in a browser, for people who only watch
       gdtui weights RUN VARIANT -o FILE a variant's weights at a checkpoint
       gdtui export RUN_DIR [-o FILE]    every batch of a run, as CSV
       gdtui import FILE RUN_DIR         a run from CSV: losses from any program
       gdtui runs [--prune]              the stored runs
       gdtui problems                    the problems to train on
       gdtui config                      the defaults in force, and where each comes from
       gdtui docs [TOPIC]                the documentation"""

_EXAMPLES: Final = """\
examples:
  gdtui                                            full batch, 64 and 1 at a time, side by side
  gdtui --lr-scaling linear                        the same three; their curves fold into one
  gdtui --batch-sizes 512,64 --accumulation 1,8    one big batch against eight small ones
  gdtui --batch-sizes 64,64 --optimizer sgd,adam --lr 0.01,0.001 --names SGD,Adam
  gdtui --keys '8s S 20s ? 3s q'                   a demo that plays itself, the same every time"""


def app(ctx: "click.Context", **values: Any) -> int:
    """See what batch size, learning rate and gradient accumulation do to training, live.

    In the app, press ? for the keys.
    """
    check_screen(ctx, "the app", instead="gdtui train")

    from engine.log.directory import RunDirectoryError
    from gdtui.cli.commands.train.host.process import LoadingHost
    from gdtui.cli.commands.train.run_app import run_live
    from gdtui.cli.prepare import prepare_run
    from gdtui.cli.recording.live import live_recording
    from gdtui.lesson.course.first_run import guide_for

    try:
        loading = LoadingHost()
        options, place = prepare_run(ctx, loading.start)
        screen = {name: values[name] for name in ("theme", "fps", "keys")}
        with live_recording(ctx, values["record"], values["fps"]) as make_app:
            guide = guide_for(options.settings)
            return run_live(
                options.settings,
                place,
                **screen,
                guide=guide,
                make_app=make_app,
                linger=values["linger"],
                host=loading.host,
            )
    except RunDirectoryError as error:
        ctx.fail(str(error))


command = GdtuiCommand(
    app,
    _USAGE,
    _EXAMPLES,
    [
        *run_options(pace=APP_PACE),
        *screen_options(),
        *in_group("screen", linger_option()),
        telling_flag("--version", "show the version and exit", lambda _: f"gdtui {__version__}"),
    ],
)
