"""`gdtui sweep` on the command line: its own defaults."""

import re

from command_lines import context

from engine.settings import FULL


def test_the_help_shows_the_defaults_of_a_sweep() -> None:
    ctx = context("sweep")
    shown = dict(re.findall(r"^  (--[\w-]+) .*?\[([^\]]*)\]$", ctx.get_help(), re.MULTILINE))
    assert shown["--epochs"] == str(ctx.params["epochs"])
    assert shown["--batch-sizes"] == ",".join(map(str, ctx.params["batch_sizes"]))
    assert shown["--pace"] == "free"
    assert ctx.params["batch_sizes"][-1] == FULL
