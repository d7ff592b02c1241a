"""Names, as short as possible, that distinguish the variants of several runs. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from engine.settings.text import clean

_DATED: Final = re.compile(r"(\d{4})(\d{4})-(\d{6}(?:-\d+)?)")
"""A directory name chosen by gdtui: year, month and day, time."""


def run_labels(paths: Sequence[Path]) -> list[str]:
    """A label for each directory: its name, with as much of its parent path as makes it unique.

    Directories that gdtui named by the time lose the year, or the day, that all of them share. The
    paths are absolute and all different.
    """
    return _undated([clean(_suffix(path, paths)) for path in paths])


def _suffix(path: Path, paths: Iterable[Path]) -> str:
    parts = path.parts
    others = [other.parts for other in paths if other != path]
    for count in range(1, len(parts)):
        if not any(other[-count:] == parts[-count:] for other in others):
            return "/".join(parts[-count:])
    return str(path)


def _undated(labels: Sequence[str]) -> list[str]:
    dated = [found for label in labels if (found := _DATED.fullmatch(label))]
    if len(dated) < max(len(labels), 2):
        return list(labels)
    if len({found[1] for found in dated}) > 1:
        return list(labels)
    if len({found[2] for found in dated}) > 1:
        return [f"{found[2]}-{found[3]}" for found in dated]
    return [found[3] for found in dated]


def variant_names(labels: Sequence[str], variants: Sequence[Sequence[str]]) -> list[list[str]]:
    """Unique names for the variants of the runs with these labels.

    For a single run, the variants' names in it; for several, the run's label, or "run: variant" if
    the run has more than one variant.
    """
    if len(labels) == 1:
        return [list(variants[0])]
    seen: Counter[str] = Counter()
    named = []
    for label, own in zip(labels, variants, strict=True):
        told = [label] if len(own) == 1 else [f"{label}: {name}" for name in own]
        named.append([_numbered(name, seen) for name in told])
    return named


def _numbered(name: str, seen: Counter[str]) -> str:
    """The name, with "#2" and so on if it has already been given."""
    told = name
    while seen[told]:
        seen[name] += 1
        told = f"{name} #{seen[name]}"
    seen[told] = 1
    return told
