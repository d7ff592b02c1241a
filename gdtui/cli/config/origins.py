"""The origins of values: typed, an environment variable, the configuration file, or a default."""

import re
from pathlib import Path
from typing import Final

import click
from click.core import ParameterSource

from gdtui.cli.config.file import ConfigFile, default_path, read_config

VARIABLES: Final = "GDTUI"
"""The prefix of the environment variables: GDTUI_LR is --lr."""
APP: Final = "app"
"""The table of the command without a name."""
LIKE: Final = "gdtui.like"
"""The key for the names of the options that were set by the --like run."""
_ELSEWHERE: Final = (ParameterSource.ENVIRONMENT, ParameterSource.DEFAULT_MAP)
_FILE: Final = "gdtui.config"


def config_of(ctx: click.Context) -> ConfigFile | None:
    """The configuration file that completed the values."""
    config = ctx.meta.get(_FILE)
    return config if isinstance(config, ConfigFile) else None


def take_defaults(ctx: click.Context, path: Path | None) -> None:
    """Take options neither typed nor set by a variable from the configuration file."""
    config = read_config(path or default_path(), must_exist=path is not None)
    ctx.meta[_FILE] = config
    if config.values:
        config.check(table_of(ctx), tables(ctx), lambda table: names_of(ctx, table))
        ctx.default_map = config.defaults(table_of(ctx))


def table_of(ctx: click.Context) -> str:
    """The table of the context's command."""
    return ctx.info_name or APP


def info_name(table: str) -> str:
    """The name of a table's command."""
    return "" if table == APP else table


def tables(ctx: click.Context) -> list[str]:
    """The tables of all commands."""
    root = ctx.find_root()
    assert isinstance(root.command, click.Group)
    return [APP, *root.command.list_commands(root)]


def command_of(ctx: click.Context, table: str) -> click.Command:
    """The command of a table."""
    root = ctx.find_root()
    assert isinstance(root.command, click.Group)
    command = root.command.get_command(root, info_name(table))
    assert command is not None
    return command


def names_of(ctx: click.Context, table: str) -> list[str]:
    """The names of the options allowed in a command's table."""
    return [each.name or "" for each in command_of(ctx, table).params if may_have_default(each)]


def may_have_default(parameter: click.Parameter) -> bool:
    """True for an option that a file may set: not --config, --like or one that must be typed."""
    return isinstance(parameter, click.Option) and (
        parameter.allow_from_autoenv and parameter.name not in ("config", "like")
    )


def origin(ctx: click.Context, parameter: click.Parameter) -> str:
    """The place that a value came from, named in the user's terms."""
    match ctx.get_parameter_source(parameter.name or ""):
        case ParameterSource.ENVIRONMENT:
            return variable(parameter)
        case ParameterSource.DEFAULT_MAP if parameter.name in ctx.meta.get(LIKE, ()):
            return "--like"
        case ParameterSource.DEFAULT_MAP if config := config_of(ctx):
            return f"{config.place(table_of(ctx), parameter.name or '')}: {key(parameter)}"
    is_option = isinstance(parameter, click.Option)
    return f"--{key(parameter)}" if is_option else parameter.human_readable_name


def is_typed(ctx: click.Context, name: str) -> bool:
    """True for an option given on the command line."""
    return ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE


def key(option: click.Parameter) -> str:
    """The long name of an option, without dashes."""
    return max(option.opts, key=len).lstrip("-")


def variable(option: click.Parameter) -> str:
    """The environment variable of an option."""
    return f"{VARIABLES}_{(option.name or '').upper()}"


def with_origins(ctx: click.Context, message: str) -> str:
    """A message about settings, with the origins of the values in it that were not typed."""
    plain = re.sub(r"[-_]+", " ", message)
    words = {each: key(each).replace("-", " ").rstrip("s") for each in ctx.command.params}
    places = [
        origin(ctx, each)
        for each, name in words.items()
        if ctx.get_parameter_source(each.name or "") in _ELSEWHERE
        and re.search(rf"\b{name}s?\b", plain)
    ]
    return f"{message} (set by {', '.join(dict.fromkeys(places))})" if places else message
