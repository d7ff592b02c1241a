"""What the commands that test the lesson accept, and how their help reads. Runs nothing."""

from typing import Final

from engine.experiments.registry import DEFAULT_SEEDS, LEAST_SEEDS, LISTINGS
from engine.settings import FULL
from gdtui.cli.options.run import MOST_THREADS, add_run_options, add_screen_options
from gdtui.cli.usage.commands import Parser
from gdtui.cli.value_types import device, megabytes, whole

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


_SWEEP_ABOUT: Final = """\
Measure the lesson's trade-off table on your problem and device: one batch size after the other, each
alone on the machine. For each: gradient noise, speed, memory, the loss after equal epochs and after
equal seconds, the validation gap, beside the lesson's words; then a batch size, an lr (by the rule)
and an accumulation for your memory. Every arm is kept as a run; see gdtui runs."""

_SWEEP_EXAMPLES: Final = """\
examples:
  gdtui sweep
  gdtui sweep --problem digits --batch-sizes 8,64,512,full --epochs 10
  gdtui sweep --lr-scaling linear --memory-limit 2000
  gdtui sweep --markdown > trade-offs.md

exit status: 0 a table is there, 1 an arm failed, 2 a wrong call, 130 after Ctrl+C"""


def sweep_parser() -> Parser:
    """`gdtui sweep`"""
    parser = Parser(
        prog="gdtui sweep",
        usage="gdtui sweep [OPTIONS] [--memory-limit MB] [--json | --markdown | --csv]",
        description=_SWEEP_ABOUT,
        epilog=_SWEEP_EXAMPLES,
    )
    add_run_options(parser)
    add_screen_options(parser, is_hidden=True)
    parser.set_defaults(batch_sizes=(1, 32, 128, 512, FULL), accumulation=(1,), epochs=5, form="text")
    parser.add_argument_group("what for").add_argument(
        "--memory-limit", type=megabytes, metavar="MB",
        help="of tensors on the device; what is larger is recommended in accumulated pieces",
    )  # fmt: skip
    general = parser.add_general()
    for form, text in (("json", "one JSON document"), ("markdown", "a Markdown table"), ("csv", "CSV")):
        general.add_argument(
            f"--{form}", dest="form", action="store_const", const=form, help=f"{text} on stdout"
        )
    return parser


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
