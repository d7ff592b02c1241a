"""`gdtui problems`: lists the available problems without loading any of them."""

from typing import TYPE_CHECKING, Final

from engine.problems.registry import LISTINGS, ProblemListing
from gdtui.cli.command import Flag, GdtuiCommand
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.streams import print_json, print_text
from gdtui.view.text.reports.align import align_columns

if TYPE_CHECKING:
    import click

_EXAMPLES: Final = """\
examples:
  gdtui problems
  gdtui problems --json       with the defaults of each"""

_NOTES: Final = """\
Start one with: gdtui --problem digits. Its own batch sizes, lr and epochs apply unless set.
* needs scikit-learn and pandas: python -m pip install scikit-learn pandas pyarrow"""


def problems(ctx: "click.Context", json: bool) -> int:
    """List the problems to train on: those gdtui includes, and those made from your own files."""
    if json:
        print_json({"problems": LISTINGS})
        return ExitCode.OK
    rows = [(_name(listing), _about(listing)) for listing in LISTINGS]
    print_text(align_columns(rows, left={0, 1}))
    print_text(f"\n{_NOTES}")
    return ExitCode.OK


def _name(listing: ProblemListing) -> str:
    return listing.name + "*" * listing.needs_extra


def _about(listing: ProblemListing) -> str:
    parts = [listing.summary, listing.model]
    if listing.samples is not None:
        parts.append(f"{listing.samples:,} samples")
    return " · ".join(parts)


command = GdtuiCommand(
    problems,
    "gdtui problems [--json]",
    _EXAMPLES,
    [Flag("--json", "one JSON document on stdout")],
)
