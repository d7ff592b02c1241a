"""`gdtui docs`: the documentation that comes with gdtui, in a viewer or as plain text.

Reads the pages; owns none of their content. The viewer is imported only if there is a terminal.
"""

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from click import BadParameter

from gdtui.cli.command import Argument, GdtuiCommand, in_group
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.options.completion import words
from gdtui.cli.options.theme import theme_option
from gdtui.cli.streams import is_terminal

if TYPE_CHECKING:
    import click

PAGES: Final = Path(__file__).resolve().parents[3] / "docs"
INDEX: Final = "index"
_FIRST: Final = (
    INDEX,
    "guide",
    "recipes",
    "problems",
    "api",
    "measured",
    "teaching",
    "recording",
    "gpu-box",
    "how-it-works",
)
"""The reading order; pages not named here follow alphabetically."""

_EXAMPLES: Final = """\
examples:
  gdtui docs
  gdtui docs guide
  gdtui docs problems | grep -n metrics"""


def docs(ctx: "click.Context", topic: str, theme: str) -> int:
    """Read the documentation.

    On a terminal, opens a viewer with scrolling and links. Otherwise prints the page's Markdown,
    which can be piped and searched.
    """
    if not _has_screen():
        sys.stdout.write(page(topic).read_text(encoding="utf-8"))
        return ExitCode.OK
    gc.disable()  # the imports make no garbage; the viewer enables it once it shows a page
    from gdtui.cli.commands.learn.docs_viewer import DocsViewer

    viewer = DocsViewer({name: page(name) for name in topics()}, topic, theme)
    viewer.run()
    return viewer.return_code or ExitCode.OK


def topics() -> list[str]:
    """The available topics, in reading order."""
    names = {path.stem for path in PAGES.glob("*.md")}
    return [name for name in _FIRST if name in names] + sorted(names.difference(_FIRST))


def page(topic: str) -> Path:
    """The file of a topic."""
    return PAGES / f"{topic}.md"


def _has_screen() -> bool:
    """True if the viewer can be shown and its keys can be read."""
    return is_terminal(sys.stdin) and is_terminal(sys.stdout) and os.environ.get("TERM") != "dumb"


def _topic(text: str) -> str:
    if text not in topics():
        raise BadParameter(f"unknown topic {text!r}; topics: {', '.join(topics())}")
    return text


command = GdtuiCommand(
    docs,
    "gdtui docs [TOPIC]",
    _EXAMPLES,
    [
        *in_group(
            "what to read",
            Argument(
                "topic",
                "TOPIC",
                f"{', '.join(topics())} [{INDEX}]",
                default=INDEX,
                type=_topic,
                shell_complete=words(topics()),
            ),
        ),
        theme_option(),
    ],
)
