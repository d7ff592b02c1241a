"""`gdtui send`: commands to a run from a script."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.log.filesystem.places import find_run
from gdtui.cli.command import Argument, GdtuiCommand, in_group
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.options.completion import STORED_RUN, stored_runs
from gdtui.cli.streams import print_error

if TYPE_CHECKING:
    import click

    from engine.log.directory import RunDirectory
    from engine.log.lineage.points import Reached
    from gdtui.cli.commands.control.orders import Commands

_EXAMPLES: Final = """\
commands:
  batch-size, lr, lr-scaling, base-batch, accumulation, momentum, optimizer, schedule, warmup,
  clip, precision, batch-warmup    [VARIANT] VALUE
  restart, step, measure           [VARIANT]
  fork, rewind                     [VARIANT] BATCH [SETTING VALUE …]
  new                              [VARIANT] [SETTING VALUE …]
  remove                           VARIANT
  pace VALUE, epochs N (in total), measuring on|off, pause, resume
  answer another|same|ignore, type TEXT      to a program of gdtui run

examples:
  gdtui send ./my-run 'batch-size 2 128'         the second variant
  gdtui send ./my-run 'lr SGD 0.003' 'pace free'
  gdtui send ./my-run pause
  gdtui send ./my-run 'fork SGD 1200 batch-size 256'
  gdtui send ./my-run answer same

exit status: 0 sent to every variant named, 1 not sent, 2 usage error"""


def send(ctx: "click.Context", run_dir: Path, words: tuple[str, ...]) -> int:
    """Send commands to a run that is training: its settings, pace, pause, restart.

    A command names a setting by its option, a variant by its number or name (all without one), and
    the new value. It appears in the run's log and on every screen that shows the run, and takes
    effect at the next update. If several scripts share the run, each obeys for its own variant.
    """
    from engine.log.lineage.points import find_point, logs_of
    from engine.session.host.client import HostError
    from gdtui.cli.commands.control import orders
    from gdtui.cli.hosts.reaching import UnreachableError, open_run, reach_all

    run = open_run(ctx, run_dir)
    try:
        settings = {each.name: each.settings for each in run.info.settings.variants}
        typed = orders.split(words)
        logs = logs_of(run)

        def find(name: str, batches: int) -> "Reached":
            return find_point(logs, name, 0, batches)

        list(orders.read(typed, settings, find))  # a usage error, whether it is reached or not
        hosts = reach_all(run.path, f"gdtui send {run_dir.name} …")
        known = settings if run.info.settings.is_script else {}  # its variants keep their numbers
        for commands in orders.read(typed, {**known, **hosts.settings}, find):
            sent = {each.variant for each in hosts.order(commands)}
            _check_heard(run, commands, sent | (known.keys() - hosts.settings.keys()))
    except orders.OrderWordsError as error:
        ctx.fail(str(error))
    except (UnreachableError, HostError) as error:
        print_error(f"gdtui send: {error}")
        return ExitCode.FAILED
    hosts.close()
    return ExitCode.OK


def _check_heard(run: "RunDirectory", commands: "Commands", heard: set[str]) -> None:
    """Raise HostError for a variant that needs a worker to obey, and has none."""
    from engine.log.follow import removed_variants
    from engine.session.host.client import HostError
    from gdtui.cli.commands.control.orders import needs_worker

    deaf = {name for name, each in commands.items() if needs_worker(each)} - heard
    deaf -= removed_variants(run) if len(commands) > 1 else frozenset()
    if deaf:
        names = ", ".join(name for name in commands if name in deaf)
        raise HostError(f"{names}: its worker has ended; restart begins another one")


command = GdtuiCommand(
    send,
    "gdtui send RUN COMMAND …",
    _EXAMPLES,
    in_group(
        "run",
        Argument("run_dir", "RUN", STORED_RUN, type=find_run, shell_complete=stored_runs),
        Argument("words", "COMMAND", "quoted if there are several", nargs=-1, required=True),
    ),
)
