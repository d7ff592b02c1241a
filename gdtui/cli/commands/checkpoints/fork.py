"""`gdtui fork`: a new variant that begins at a batch of another one."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.log.commands import Fork
from gdtui.cli.command import GdtuiCommand
from gdtui.cli.commands.checkpoints.going_back import (
    go_back,
    options_of_return,
    read_return,
    sent,
)

if TYPE_CHECKING:
    import click

    from engine.session.host.client import HostLink
    from engine.session.past import ResumedRun

_EXAMPLES: Final = """\
examples:
  gdtui fork ./my-run --variant SGD --at 1200 --batch-size 256
  gdtui fork ./my-run --variant 2 --at 1200 --lr 0.003 --name "SGD, lr 0.003"
  gdtui fork ./my-run --at 1200 --optimizer adamw --json     for a run that has ended

exit status: as gdtui train for a run that has ended; else 0 sent, 1 not sent, 2 usage error"""


def fork(
    ctx: "click.Context",
    run_dir: Path,
    variant: str | None,
    at: int | None,
    name: str | None,
    **rest: Any,
) -> int:
    """Begin a new variant after a batch of another one, with other settings from there on.

    The new variant shares the past of the old one: it begins at the nearest checkpoint before,
    trains again up to exactly this batch, and goes on with the settings that were in force there,
    but for those given here. The other variants train on. A run that has ended goes on, as with
    gdtui resume.
    """
    from gdtui.cli.hosts.reaching import open_run
    from gdtui.state.stored_runs import is_sweep

    run = open_run(ctx, run_dir)
    if is_sweep(run.path.absolute().parent):
        ctx.fail(f"{run.path} belongs to a sweep, in which each run has one variant")
    point = read_return(ctx, run, "fork", variant, at)
    settings = point.changed(point.reached.settings)
    command = Fork(id=0, settings=settings, batches=point.asked, name=name or "")

    def said(new: str) -> str:
        return f"{new} begins after {point.place} of {point.variant}"

    def order(link: "HostLink") -> str:
        return said(sent(link, point.variant, command))

    def prepare(run: "ResumedRun") -> str:
        from engine.session.variants.unattended import note_fork

        return said(note_fork(run, point.variant, command))

    return go_back(ctx, run.path, point, order, prepare, rest)


command = GdtuiCommand(
    fork,
    "gdtui fork RUN --at BATCH [--variant NAME] [OPTIONS]",
    _EXAMPLES,
    options_of_return(with_name=True),
)
