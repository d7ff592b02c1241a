"""`gdtui sweep` on the command line: its own defaults."""

import re

from engine.settings import FULL
from gdtui.cli.commands.measure.sweep import sweep_parser


def test_the_help_shows_the_defaults_of_a_sweep() -> None:
    parser = sweep_parser()
    typed = parser.parse_args([])
    shown = dict(re.findall(r"^  (--[\w-]+) .*?\[([^\]]*)\]$", parser.format_help(), re.MULTILINE))
    assert shown["--epochs"] == str(typed.epochs)
    assert shown["--batch-sizes"] == ",".join(map(str, typed.batch_sizes))
    assert shown["--pace"] == "free"
    assert typed.batch_sizes[-1] == FULL
