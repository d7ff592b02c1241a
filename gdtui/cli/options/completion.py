"""The words that Tab offers for the values of options and arguments.

The shell calls it in a separate process, and its prompt waits until that ends.
"""

from collections.abc import Callable, Iterable
from typing import Final

import click
from click.shell_completion import CompletionItem

STORED_RUN: Final = "a run's directory, or its name in gdtui runs"

_RUN_FILES: Final = ("*/run.json", "*/sweep.json", "*/experiment.json")

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def words(known: Iterable[str], *, several: bool = False, files: bool = False) -> Completer:
    """Offers known words, for a comma-separated list if `several`; else files if `files`."""

    def complete(_ctx: click.Context, _: click.Parameter, typed: str) -> list[CompletionItem]:
        from engine.settings.optimizer import split_outside_brackets

        *parts, last = split_outside_brackets(typed) if several else (typed,)
        before, comma = ",".join(parts), "," if parts else ""
        found = [CompletionItem(before + comma + word) for word in known if word.startswith(last)]
        return found if found or not files else [CompletionItem(typed, type="file")]

    return complete


def stored_runs(_ctx: click.Context, _: click.Parameter, typed: str) -> list[CompletionItem]:
    """Offers the stored runs and sweeps, the newest first, else directories."""
    from engine.log.filesystem.places import known_roots

    files = [*(root.glob(name) for root in known_roots() for name in _RUN_FILES)]
    runs = [file.parent for found in files for file in found]
    runs.sort(key=lambda run: run.name, reverse=True)
    texts = [run.name if "/" not in typed else str(run) for run in runs]
    found = [
        CompletionItem(text) for text in texts if text.startswith(typed) and text.isprintable()
    ]
    return found or [CompletionItem(typed, type="dir")]
