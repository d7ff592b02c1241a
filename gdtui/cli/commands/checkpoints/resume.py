"""`gdtui resume`: goes on with a run, a sweep or an experiment that has ended, where it ended."""

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.log.directory import EXPERIMENT_FILE, SWEEP_FILE
from engine.log.filesystem.places import find_run
from engine.log.filesystem.safe_open import is_present
from gdtui.cli.command import Argument, Flag, GdtuiCommand, Option, in_group
from gdtui.cli.commands.train.train import headless_options, train_run
from gdtui.cli.options.completion import STORED_RUN, stored_runs
from gdtui.cli.options.screen import linger_option, screen_options
from gdtui.cli.streams import is_terminal
from gdtui.cli.value_types import whole

if TYPE_CHECKING:
    import click

_EXAMPLES: Final = """\
examples:
  gdtui resume ./my-run                  with the screen, on a terminal
  gdtui resume ./my-run --json           like gdtui train, without a screen
  gdtui resume ./my-run --epochs 40      a run that has finished goes on, too
  gdtui resume ./my-sweep                a sweep or an experiment that was stopped or killed
  gdtui train --run-dir ./my-run --resume     begin the run, or go on with it: for a job
                                         that is queued again

exit status: as gdtui train; 2 if the run is running, or cannot go on"""

_WORK: Final = {SWEEP_FILE: "sweep", EXPERIMENT_FILE: "experiment"}
"""The command for a directory with such a file."""
_A: Final = {"sweep": "a sweep", "experiment": "an experiment"}
_FLAGS: Final = ("json", "quiet", "detach", "debug")


def resume(
    ctx: "click.Context", run_dir: Path, problem: str | None, epochs: int | None, **rest: Any
) -> int:
    """Go on with a run after any end: stopped, finished, killed, or the machine was switched off.

    Each variant begins at its last checkpoint and trains again what followed, up to its last
    recorded loss; from there it trains on. On the CPU, all losses are exactly those of a run that
    was never interrupted. A sweep or an experiment keeps the arms that are done, and goes on in the
    middle of the arm that was cut short.
    """
    from gdtui.cli.commands.train import detached

    for file, kind in _WORK.items():
        if is_present(run_dir / file):
            return _resume_work(ctx, kind, run_dir)
    if rest["detach"] and not detached.is_host():
        return detached.start(sys.argv[1:])
    from gdtui.cli.resuming import take_up

    is_shown = not (rest["json"] or rest["detach"]) and is_terminal(sys.stdout)
    goal: dict[str, Any] = {"problem": problem, "epochs": epochs}
    if not is_shown:
        return train_run(ctx, take_up(ctx, run_dir, **goal), **rest)

    from gdtui.cli.commands.control.attach_run import resume_on_screen
    from gdtui.cli.commands.train.host.process import LoadingHost

    loading = LoadingHost()
    run = take_up(ctx, run_dir, **goal, start_loader=loading.start)
    screen = {name: rest[name] for name in ("theme", "fps", "keys", "linger")}
    return resume_on_screen(run, **screen, host=loading.host)


def _resume_work(ctx: "click.Context", kind: str, path: Path) -> int:
    """Go on with a sweep or an experiment; returns the exit status."""
    values = ctx.params
    command = importlib.import_module(f"gdtui.cli.commands.measure.{kind}").command
    if values["epochs"] is not None:
        ctx.fail(f"{path} is {_A[kind]}, which goes on with the epochs it was begun with")
    words = [f"--{name}" for name in _FLAGS if values[name]]
    if values["problem"] is not None:
        if kind != "sweep":
            ctx.fail(f"{path} is {_A[kind]}, which has its own problem")
        words += ["--problem", values["problem"]]
    with command.make_context(kind, ["--run-dir", str(path), *words], parent=ctx.parent) as work:
        status: int = command.invoke(work)
    return status


command = GdtuiCommand(
    resume,
    "gdtui resume RUN [OPTIONS] [--json]",
    _EXAMPLES,
    [
        *in_group(
            "run",
            Argument("run_dir", "RUN", STORED_RUN, type=find_run, shell_complete=stored_runs),
            Option(
                "--epochs",
                "N",
                "passes over the data, in total",
                type=whole(1),
                shown="those planned",
            ),
            Option(
                "--problem",
                "FILE.py",
                "the problem of the run; required if it is in a Python file",
            ),
        ),
        *screen_options(records=False),
        *in_group("screen", linger_option()),
        *headless_options(),
        Flag("--debug", "show the tracebacks of errors in a problem"),
    ],
)
