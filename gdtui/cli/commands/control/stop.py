"""`gdtui stop`: ends a run or sweep of another process."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.log.filesystem.places import find_run
from gdtui.cli.command import Argument, GdtuiCommand, in_group
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.options.completion import STORED_RUN, stored_runs
from gdtui.cli.streams import print_error, print_text

if TYPE_CHECKING:
    import click

_EXAMPLES: Final = """\
examples:
  gdtui stop 20260102-030405
  gdtui stop ./my-run && gdtui export ./my-run -o my-run.csv

exit status: 0 no process of the run is left, 1 one is left or cannot be reached, 2 usage error"""


def stop(ctx: "click.Context", run_dir: Path) -> int:
    """End a run, a sweep or an experiment; on return its logs are closed, its processes gone.

    Everything trained until then is kept. If several scripts share the run, all of them are asked
    to end. gdtui sweep --run-dir goes on with a sweep, gdtui
    experiment --run-dir with an experiment.
    """
    from gdtui.cli.hosts.program_end import force_used
    from gdtui.cli.hosts.reaching import UnreachableError, open_path, reach_all
    from gdtui.cli.hosts.stopping import end_hosts

    path = open_path(ctx, run_dir)
    try:
        end_hosts(reach_all(path, f"gdtui stop {run_dir.name}"))
    except UnreachableError as error:
        if not error.has_ended:
            print_error(f"gdtui stop: {error}")
            return ExitCode.FAILED
        print_text(f"{path} has ended already")
    else:
        print_text(": ".join(filter(None, (f"stopped {path}", force_used(path)))))
    return ExitCode.OK


command = GdtuiCommand(
    stop,
    "gdtui stop RUN",
    _EXAMPLES,
    in_group(
        "run",
        Argument("run_dir", "RUN", STORED_RUN, type=find_run, shell_complete=stored_runs),
    ),
)
