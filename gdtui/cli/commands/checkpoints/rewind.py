"""`gdtui rewind`: takes a variant back to an earlier batch."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.log.commands import Rewind
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
    from engine.settings import VariantSettings

_EXAMPLES: Final = """\
examples:
  gdtui rewind ./my-run --variant SGD --at 1200
  gdtui rewind ./my-run --variant 2 --at 1200 --lr 0.003
  gdtui rewind ./my-run --at 1200 --json                     for a run that has ended

exit status: as gdtui train for a run that has ended; else 0 sent, 1 not sent, 2 usage error"""


def rewind(
    ctx: "click.Context", run_dir: Path, variant: str | None, at: int | None, **rest: Any
) -> int:
    """Take a variant back to an earlier batch; it goes on with the settings now in force.

    It begins at the nearest checkpoint before and trains again up to exactly this batch. What it
    trained after that is kept as an earlier generation. The other variants train on. A run that
    has ended goes on, as with gdtui resume.
    """
    from gdtui.cli.hosts.reaching import open_run

    run = open_run(ctx, run_dir)
    point = read_return(ctx, run, "rewind", variant, at)
    said = f"{point.variant} goes back to {point.place}"

    def rewinding(settings: "VariantSettings") -> Rewind:
        return Rewind(id=0, settings=point.changed(settings), batches=point.asked)

    def order(link: "HostLink") -> str:
        wanted = link.welcome.settings[point.variant]
        sent(link, point.variant, rewinding(wanted))
        return said

    def prepare(run: "ResumedRun") -> str:
        from engine.session.variants.unattended import note_rewind

        (past,) = [each for each in run.past.variants if each.variant.name == point.variant]
        note_rewind(run, point.variant, rewinding(past.variant.settings))
        return said

    return go_back(ctx, run.path, point, order, prepare, rest)


command = GdtuiCommand(
    rewind,
    "gdtui rewind RUN --at BATCH [--variant NAME] [OPTIONS]",
    _EXAMPLES,
    options_of_return(with_name=False),
)
