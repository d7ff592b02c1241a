"""`gdtui audit`: compares the loss of some samples with that of its parts, without training."""

import math
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from gdtui.cli.command import Flag, GdtuiCommand, Option
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.options.data import data_options
from gdtui.cli.options.run import device_option
from gdtui.cli.streams import print_json, print_text
from gdtui.cli.value_types import whole

if TYPE_CHECKING:
    from engine.problems.loader import Loaded
    from engine.settings import DataSettings

_EXAMPLES: Final = """\
examples:
  gdtui audit --problem net.py
  gdtui audit --problem net.py:problem --json

exit status: 0 pieces equal the big batch, 1 they do not, or it is undecided, 2 usage error"""


def audit(ctx: click.Context, json: bool, **values: Any) -> int:
    """Check that accumulated batches, and pieces of a batch, equal the big batch for your loss.

    In eval mode, the loss of 16 samples is compared with the losses of 4 and 12 of them, combined
    by what the loss averages over. The report says how far they are apart, and what to do about it.
    Training on your own problem always begins with a shorter audit.

    To check your own training loop, see gdtui.audit in gdtui docs api.
    """
    from engine.settings import SettingsError
    from gdtui.cli.options.data import read_data

    try:
        problem, data = read_data(values)
    except SettingsError as error:
        ctx.fail(str(error))
    loaded = _load(ctx, problem, data)
    if json:
        print_json(_document(problem, loaded))
    else:
        print_text("\n".join(_lines(problem, loaded)))
    return ExitCode.OK if loaded.audit and loaded.audit.is_big_batch else ExitCode.FAILED


def _load(ctx: click.Context, problem: str, data: "DataSettings | None") -> "Loaded":
    """Load and audit the problem, and leave no files behind."""
    from engine.log.directory import RunDirectoryError
    from gdtui.cli.prepare import load
    from gdtui.state.runs.new_run import empty_directory

    try:
        loaded, place = load(ctx, problem, data, empty_directory(), audit_seconds=math.inf)
    except RunDirectoryError as error:
        ctx.fail(str(error))
    place.abandon()
    return loaded


def _document(problem: str, loaded: "Loaded") -> dict[str, Any]:
    found = loaded.audit
    told = {} if found is None else {**msgspec.to_builtins(found), "sentence": found.sentence}
    return {
        "problem": problem,
        "n": loaded.n,
        "average": loaded.average,
        "is_big_batch": None if found is None else found.is_big_batch,
        "audit": told or None,
    }


def _lines(problem: str, loaded: "Loaded") -> list[str]:
    from gdtui.lesson import averaging

    assert loaded.average is not None
    found = loaded.audit
    title = f"{problem}: {loaded.n:,} samples, {loaded.model}, {loaded.parameters:,} parameters"
    result = "too few samples: 4 are needed" if found is None else found.sentence
    return [title, averaging.sentence(loaded.average), f"Checked: {result}."]


command = GdtuiCommand(
    audit,
    "gdtui audit --problem FILE.py[:FUNCTION] [OPTIONS] [--json]",
    _EXAMPLES,
    [
        *data_options(),
        Option("--seed", "N", "fixes data and weights", type=whole(0, 2**63 - 1), default="0"),
        device_option("auto, cpu, cuda, cuda:N, mps"),
        Flag("--json", "one JSON document on stdout"),
        Flag("--debug", "show the tracebacks of errors in a problem"),
    ],
)
