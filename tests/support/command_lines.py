"""Command lines read as the program reads them, without running what they ask for."""

import shlex
from collections.abc import Sequence

import click

from gdtui.cli.program import APP, COMMANDS, load, program


def context(line: str | Sequence[str]) -> click.Context:
    """The values of `gdtui LINE`; click.UsageError for one that makes no sense."""
    words = shlex.split(line) if isinstance(line, str) else list(line)
    name = words.pop(0) if words and words[0] in COMMANDS else ""
    root = click.Context(program, info_name="gdtui")
    return load(COMMANDS[name] if name else APP).make_context(name, words, parent=root)
