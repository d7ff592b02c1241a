"""The base of every command: options in groups, help, and one-line usage errors.

Runs nothing and opens nothing.
"""

import inspect
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, NoReturn

import click
from click.core import augment_usage_errors

from gdtui.cli.config.origins import VARIABLES, origin, take_defaults, with_origins
from gdtui.cli.streams import print_text

FILE: Final = click.Path(path_type=Path, readable=False)
"""A file or a directory, completed by the shell."""
GENERAL: Final = "general"
_WIDTH: Final = 100
_TERM_WIDTH: Final = 22
_DEFAULTS: Final = """\
Options can also be set by environment variables (GDTUI_LR for --lr) or in a configuration
file: see gdtui config."""


class Option(click.Option):
    """An option, with the default shown in its help."""

    group = GENERAL

    def __init__(
        self, names: str, metavar: str | None, text: str, *, shown: str = "", **attributes: Any
    ) -> None:
        """`names`: separated by spaces. `shown`: a default that has to be described in words."""
        self.shown_default: str = shown or attributes.get("default") or ""
        if self.shown_default:
            text = f"{text} [{self.shown_default}]"
        super().__init__(names.split(), metavar=metavar, help=text, **attributes)
        if self.is_flag:
            self.shown_default = "false"


class Flag(Option):
    """An option without a value."""

    def __init__(self, names: str, text: str, *, is_typed: bool = False, **attributes: Any) -> None:
        """`is_typed`: an action, which can be typed but not set by a variable or a file."""
        attributes |= {"is_flag": True, "allow_from_autoenv": not is_typed}
        super().__init__(names, None, text, **attributes)


class Argument(click.Argument):
    """A positional argument that has a line in the help."""

    group = GENERAL

    def __init__(self, name: str, metavar: str, text: str, **attributes: Any) -> None:
        super().__init__([name], metavar=metavar, **attributes)
        self.text = text

    def get_help_record(self, ctx: click.Context) -> tuple[str, str]:
        return self.human_readable_name, self.text


AnyParameter = Option | Argument


def in_group(name: str, *parameters: AnyParameter) -> tuple[AnyParameter, ...]:
    """The parameters, to be listed under this heading of the help."""
    for parameter in parameters:
        parameter.group = name
    return parameters


class GdtuiCommand(click.Command):
    """A command whose function takes the context, then the values by name; returns a status."""

    def __init__(
        self,
        function: Callable[..., int],
        usage: str,
        examples: str = "",
        params: Sequence[AnyParameter] = (),
        *,
        is_given_config: bool = False,
    ) -> None:
        """`usage` begins with the command as it is typed. The function's docstring is the help.

        `is_given_config`: the function receives the path of --config, as the file may be damaged.
        """
        self.parameters = (
            *params,
            _config_option(is_exposed=is_given_config),
            telling_flag("-h --help", "show this help and exit", self.get_help),
        )
        super().__init__(
            function.__name__,
            context_settings={"auto_envvar_prefix": VARIABLES},
            callback=function,
            params=[*self.parameters],
            help=inspect.getdoc(function),
            add_help_option=False,
        )
        self.usage, self.examples = usage, examples

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.allow_extra_args = True
        with augment_usage_errors(ctx):
            rest = super().parse_args(ctx, args)
        if rest and not ctx.resilient_parsing:
            self._refuse(ctx, rest[0])
        return rest

    def _refuse(self, ctx: click.Context, word: str) -> NoReturn:
        """Report a surplus argument, with a guess at the intention behind it."""
        commands = command_names(ctx)
        if word in commands:
            ctx.fail(f"command {word} must come first: gdtui {word} [OPTIONS]")
        if not self.is_default(ctx):
            ctx.fail(f"unexpected argument {word!r}")
        close = get_close_matches(word, commands, n=1)
        hint = f"did you mean {close[0]}? Commands: " if close else "choose from "
        ctx.fail(f"unknown command {word!r}; {hint}{', '.join(commands)}")

    @property
    def options(self) -> list[Option]:
        """The parameters that are options."""
        return [each for each in self.parameters if isinstance(each, Option)]

    def is_default(self, ctx: click.Context) -> bool:
        """True for the command that runs if none is named."""
        return ctx.info_name == ""

    def invoke(self, ctx: click.Context) -> Any:
        assert self.callback is not None
        with augment_usage_errors(ctx):
            return self.callback(ctx, **ctx.params)

    def get_help(self, ctx: click.Context) -> str:
        formatter = click.HelpFormatter(width=_WIDTH)
        formatter.write(f"usage: {self.usage}\n\n{self.help}\n")
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.parameters:
            if record := parameter.get_help_record(ctx):
                groups.setdefault(parameter.group, []).append(record)
        for group, records in sorted(groups.items(), key=lambda each: each[0] == GENERAL):
            with formatter.section(group):
                formatter.write_dl([(f"{term:<{_TERM_WIDTH}}", text) for term, text in records])
        formatter.write(f"\n{self.examples}\n" if self.examples else "")
        if any(each.allow_from_autoenv for each in self.options):
            formatter.write(f"\n{_DEFAULTS}\n")
        return formatter.getvalue().rstrip()


def command_names(ctx: click.Context) -> list[str]:
    """The names of all commands."""
    root = ctx.find_root()
    return root.command.list_commands(root) if isinstance(root.command, click.Group) else []


def explain(error: click.UsageError) -> str:
    """A usage error as one line that begins with the command, whatever text was typed."""
    ctx = error.ctx
    path = ctx.command_path.strip() if ctx is not None else "gdtui"
    return f"{path}: {one_line(_message(error))}"


def one_line(message: str) -> str:
    """A message as one line."""
    return " ".join(message.split())


def _message(error: click.UsageError) -> str:
    match error:
        case click.NoSuchOption():
            close = [each for each in error.possibilities or () if each.startswith("--")]
            path = error.ctx.command_path.strip() if error.ctx is not None else "gdtui"
            hint = f"did you mean {close[0]}?" if close else f"see {path} --help"
            return f"unknown option {error.option_name!r}; {hint}"
        case click.BadOptionUsage():
            complaint = error.message.partition("' ")[2].rstrip(".")
            return f"{error.option_name} {complaint}"
        case click.MissingParameter(param=click.Parameter() as missing):
            return f"missing {missing.human_readable_name}"
        case click.BadParameter(param=click.Parameter() as wrong, ctx=click.Context() as ctx):
            return f"{origin(ctx, wrong)}: {error.message}"
        case click.UsageError(ctx=click.Context() as ctx):
            return with_origins(ctx, error.message)
        case _:
            return error.message


def telling_flag(names: str, text: str, tell: Callable[[click.Context], str]) -> Flag:
    """A flag that prints its text, whatever else is typed."""

    def show(ctx: click.Context, _: click.Parameter, is_wanted: bool) -> None:
        if is_wanted and not ctx.resilient_parsing:
            print_text(tell(ctx))
            ctx.exit()

    return Flag(names, text, is_typed=True, is_eager=True, expose_value=False, callback=show)


def _config_option(*, is_exposed: bool) -> Option:
    def read(ctx: click.Context, _: click.Parameter, path: Path | None) -> Path | None:
        """Read the file before all other options, which find their defaults in it."""
        if not (is_exposed or ctx.resilient_parsing):
            take_defaults(ctx, path)
        return path

    shown, text = "see gdtui config --path", "your own defaults"
    return Option("--config", "FILE", text, shown=shown, type=FILE, is_eager=True,
                  expose_value=is_exposed, callback=read)  # fmt: skip
