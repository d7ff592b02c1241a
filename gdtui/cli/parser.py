"""The argument parser that every command uses: one line for a usage error, a hint at what was
meant.

Runs nothing and opens nothing.
"""

import argparse
import difflib
from collections.abc import Sequence
from typing import Any, NoReturn

from gdtui.cli.command_table import COMMANDS
from gdtui.cli.exit_codes import ExitCode


class Parser(argparse.ArgumentParser):
    """Reports a usage error in one line, with what is allowed instead."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_abbrev=False, add_help=False, formatter_class=_formatter, **kwargs)

    def add_general(self) -> "argparse._ArgumentGroup":
        """The last group of the help: what is left."""
        general = self.add_argument_group("general")
        general.add_argument("-h", "--help", action="help", help="show this help and exit")
        return general

    def error(self, message: str) -> NoReturn:
        self.exit(
            ExitCode.USAGE_ERROR, f"{self.prog}: {one_line(message.removeprefix('argument '))}\n"
        )

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The arguments as values; ends the program with exit status 2 when they are not allowed."""
        typed, unknown = self.parse_known_args(arguments)
        if unknown:
            self.error(self._hint(unknown[0]))
        return typed

    def _hint(self, word: str) -> str:
        """The error for an unknown word, with the probable intention behind it."""
        if word in COMMANDS:
            return f"command {word} must come first: gdtui {word} [OPTIONS]"
        if not word.startswith("-"):
            if self.prog == "gdtui":
                return f"unknown command {word!r}; choose from {', '.join(COMMANDS)}"
            return f"unexpected argument {word!r}"
        options = [option for option in self._option_string_actions if option.startswith("--")]
        close = difflib.get_close_matches(word.partition("=")[0], options, n=1)
        hint = f"did you mean {close[0]}?" if close else f"see {self.prog} --help"
        return f"unknown option {word!r}; {hint}"


def one_line(message: str) -> str:
    """A message as one line, whatever was typed into it."""
    return " ".join(message.split())


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=26, width=100)
