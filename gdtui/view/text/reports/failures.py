"""The lines about failed variants and arms: the same words in every command."""

from collections.abc import Iterable


def failure_lines(failures: Iterable[tuple[str, str]]) -> list[str]:
    """A line per reason, after the names of all that failed with it.

    `failures` are pairs of name and reason.
    """
    names: dict[str, list[str]] = {}
    for name, reason in failures:
        names.setdefault(reason, []).append(name)
    return [f"{', '.join(found)}: {reason}" for reason, found in names.items()]


def output_line(name: str, output: object) -> str:
    """The place of what a failed variant's worker has printed."""
    return f"{name}: see its worker's output in {output}"
