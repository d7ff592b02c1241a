"""What the commands that test the lesson accept, and how their help reads. Runs nothing."""

from typing import Final

from engine.experiments import DEFAULT_SEEDS, LEAST_SEEDS, LISTINGS
from gdtui.options import MOST_THREADS
from gdtui.usage import Parser
from gdtui.values import device, whole

_MOST_SEEDS: Final = 1000

_EXPERIMENT_ABOUT: Final = """\
Test one claim of the lesson: the same training with one thing varied, over many seeds, with 95%
intervals and a verdict: supported, not supported, or undecided. Without a name: what there is."""

_EXPERIMENT_EXAMPLES: Final = """\
examples:
  gdtui experiment                              what there is
  gdtui experiment saddle
  gdtui experiment linear-scaling --seeds 60
  gdtui experiment sharp-minimum --json | jq .verdict

exit status: 0 it ran, whatever the verdict, 1 it failed, 2 a wrong call, 130 after Ctrl+C"""


def experiment_parser() -> Parser:
    """`gdtui experiment`"""
    parser = Parser(
        prog="gdtui experiment",
        usage="gdtui experiment [NAME] [--seeds N] [--json] [OPTIONS]",
        description=_EXPERIMENT_ABOUT,
        epilog=_EXPERIMENT_EXAMPLES,
    )
    add = parser.add_argument_group("what to test").add_argument
    names = ", ".join(listing.name for listing in LISTINGS)
    add("name", nargs="?", metavar="NAME", help=names)
    add("--seeds", type=whole(LEAST_SEEDS, _MOST_SEEDS), default=DEFAULT_SEEDS, metavar="N",
        help=f"repetitions, each with data, weights and order of its own [{DEFAULT_SEEDS}]")  # fmt: skip
    add("--device", type=device, default="auto", metavar="NAME",
        help="auto, cpu, cuda, cuda:N, mps; the CPU where a device has no float64 [auto]")  # fmt: skip
    add("--threads", type=whole(1, MOST_THREADS), metavar="N", help="CPU threads [all but one]")
    parser.add_general().add_argument(
        "--json", action="store_true", help="one JSON document on stdout, no report"
    )
    return parser
