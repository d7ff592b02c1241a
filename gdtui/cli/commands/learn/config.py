"""`gdtui config`: the values in force, and the source of each."""

import os
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import click
import msgspec
from click.core import ParameterSource

from gdtui.cli.command import Flag, GdtuiCommand
from gdtui.cli.config.file import default_path
from gdtui.cli.config.origins import (
    VARIABLES,
    command_of,
    info_name,
    key,
    may_have_default,
    names_of,
    origin,
    tables,
    take_defaults,
    variable,
)
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.streams import print_error, print_json, print_text
from gdtui.view.text.reports.align import align_columns

_EXAMPLES: Final = """\
examples:
  gdtui config
  gdtui config --json | jq '.options[] | select(.source != "default")'
  $EDITOR "$(gdtui config --path)"

A configuration file, with options for all commands and for single ones:
  theme = "light"
  fps = 20

  [app]
  pace = 2

  [train]
  epochs = 50
  batch-sizes = ["full", 64]"""


class OptionInForce(msgspec.Struct, frozen=True, kw_only=True):
    """An option with the value that it has when it is not typed."""

    option: str
    value: str | None
    """As it would be typed, or described in words; None if there is no value."""
    source: str
    """One of environment, file and default."""
    origin: str | None
    """The variable, or the file and the line."""
    commands: tuple[str, ...] = ()
    """Tables of the commands to which it applies."""


def show_config(ctx: click.Context, config: Path | None, path: bool, json: bool) -> int:
    """Show the value every option has when it is not typed, and where the value comes from.

    The first source that has a value wins: command line, environment variable, the --like run,
    configuration file, the problem's suggestion, built-in default. Options above the first table of
    the file apply to all commands, those in a table to that command; [app] is for the app.
    """
    file = config or default_path()
    if path:
        print_text(str(file))
        return ExitCode.OK
    options = _in_force(ctx, config)
    _warn_of_unknown_variables(ctx)
    if json:
        document = {"path": str(file), "exists": file.exists(), "options": options}
        print_json(document)
        return ExitCode.OK
    rows = [
        (each.option, each.value or "–", each.origin or each.source, ", ".join(each.commands))
        for each in options
    ]
    print_text(f"{file}{'' if file.exists() else ' (no such file)'}\n")
    print_text(align_columns([("option", "value", "from", "commands"), *rows], left={0, 1, 2, 3}))
    return ExitCode.OK


def _in_force(ctx: click.Context, config: Path | None) -> list[OptionInForce]:
    """The options of all commands; equal ones share an entry. UsageError for bad values."""
    found: dict[str, dict[OptionInForce, list[str]]] = {}
    for table in tables(ctx):
        command = command_of(ctx, table)
        with click.Context(
            command, ctx.parent, info_name(table), auto_envvar_prefix=VARIABLES
        ) as one:
            take_defaults(one, config)
            for each in filter(may_have_default, command.params):
                each.handle_parse_result(one, {}, [])
                found.setdefault(key(each), {}).setdefault(_describe(one, each), []).append(table)
    return [
        msgspec.structs.replace(each, commands=tuple(commands))
        for entries in found.values()
        for each, commands in entries.items()
    ]


def _describe(ctx: click.Context, option: click.Parameter) -> OptionInForce:
    name = option.name or ""
    match ctx.get_parameter_source(name):
        case ParameterSource.ENVIRONMENT:
            value, source = os.environ[variable(option)], "environment"
        case ParameterSource.DEFAULT_MAP:
            value, source = (ctx.default_map or {})[name], "file"
        case _:
            value, source = getattr(option, "shown_default", ""), "default"
    return OptionInForce(
        option=key(option),
        value=value or None,
        source=source,
        origin=None if source == "default" else origin(ctx, option).partition(": ")[0],
    )


def _warn_of_unknown_variables(ctx: click.Context) -> None:
    known = {
        f"{VARIABLES}_{name.upper()}" for table in tables(ctx) for name in names_of(ctx, table)
    }
    known.add(f"{VARIABLES}_CONFIG")
    for name in sorted(set(os.environ).difference(known)):
        if name.startswith(f"{VARIABLES}_"):
            close = get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            print_error(f"gdtui config: no option has the variable {name}{hint}")


command = GdtuiCommand(
    show_config,
    "gdtui config [--path] [--json]",
    _EXAMPLES,
    [
        Flag("--path", "print only the path of the configuration file", is_typed=True),
        Flag("--json", "one JSON document on stdout, no table"),
    ],
    is_given_config=True,
)
