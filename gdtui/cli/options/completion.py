"""The words that Tab offers for the values of options and arguments.

Called in a process of its own, by the shell: what takes long here is waited for at the prompt.
"""

from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def words(known: Iterable[str], *, several: bool = False, files: bool = False) -> Completer:
    """Offers known words: of a list separated by commas if `several`, else files if `files`."""

    def complete(_ctx: click.Context, _: click.Parameter, typed: str) -> list[CompletionItem]:
        before, comma, last = typed.rpartition(",") if several else ("", "", typed)
        found = [CompletionItem(before + comma + word) for word in known if word.startswith(last)]
        return found if found or not files else [CompletionItem(typed, type="file")]

    return complete


def stored_runs(_ctx: click.Context, _: click.Parameter, typed: str) -> list[CompletionItem]:
    """Offers the stored runs, the newest first, else directories."""
    from engine.log.directory import default_root

    runs = sorted((str(file.parent) for file in default_root().glob("*/run.json")), reverse=True)
    found = [CompletionItem(run) for run in runs if run.startswith(typed)]
    return found or [CompletionItem(typed, type="dir")]
