"""The colour theme option, for every command with a screen, `gdtui docs` included."""

from typing import Final

import click

from gdtui.cli.command import Option

THEMES: Final = ("dark", "light", "high-contrast")


def theme_option(*, hidden: bool = False) -> Option:
    """The option that chooses the colours."""
    known = click.Choice(THEMES, case_sensitive=False)
    text = "dark, light or high-contrast"
    return Option("--theme", "NAME", text, type=known, default="dark", hidden=hidden)
