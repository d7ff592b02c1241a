"""The settings that describe a run, and how the value of each is chosen.

The user's values take precedence over the problem's suggestions, and these over gdtui's defaults.
"""

from collections.abc import Mapping
from typing import Any

import click
from click.core import ParameterSource

from engine.settings import SettingsError
from gdtui.cli.command import Option


class Setting(Option):
    """An option for which a problem may suggest a value, unless the command's default is fixed."""

    def __init__(self, *arguments: Any, is_fixed: bool = False, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.is_fixed = is_fixed


def is_set(ctx: click.Context, name: str) -> bool:
    """True for an option that the user has set, in whatever place."""
    return ctx.get_parameter_source(name) is not ParameterSource.DEFAULT


def in_force(ctx: click.Context, suggested: Mapping[str, str]) -> dict[str, Any]:
    """The values of all options. `suggested`: the problem's defaults, as text.

    Raises SettingsError for an invalid suggestion.
    """
    settings = {each.name: each for each in ctx.command.params if isinstance(each, Setting)}
    taken = {name for name, each in settings.items() if each.is_fixed or is_set(ctx, name)}
    suggestions = {
        name: value for name, value in _read(suggested, settings).items() if name not in taken
    }
    if "batch_sizes" in taken:
        # They hold one value for each of other variants; the first is the best guess for all.
        suggestions.pop("names", None)
        for name, value in suggestions.items():
            suggestions[name] = value[:1] if isinstance(value, tuple) else value
    return {**ctx.params, **suggestions}


def _read(suggested: Mapping[str, str], settings: Mapping[str, Setting]) -> dict[str, Any]:
    values = {}
    for name, text in suggested.items():
        option = {"accumulation_steps": "accumulation"}.get(name, name)
        if option not in settings:
            known = ", ".join(settings)
            raise SettingsError(f"defaults: unknown name {name!r}; choose from {known}")
        try:
            values[option] = settings[option].type(text)
        except click.BadParameter as error:
            raise SettingsError(f"defaults: {name}: {error.message}") from None
    return values
