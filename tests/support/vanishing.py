"""Removing a run while programs write to it."""

import shutil
from pathlib import Path


def remove_tree(path: Path) -> None:
    """Remove the directory as `rm -r` does, also if a program removes some of its files first."""
    while path.exists():
        try:
            shutil.rmtree(path)
        except FileNotFoundError:
            continue
