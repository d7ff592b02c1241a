"""The offer of the lesson on a user's first run, remembered in the state directory."""

from pathlib import Path
from typing import Final

from engine.log.filesystem.places import NoHomeError, default_root
from engine.log.filesystem.safe_open import make_directory, write_once
from engine.settings import DEFAULT_BATCH_SIZES, RunSettings
from gdtui.lesson.course.guide import Guide

_MARK: Final = "lesson-offered"
"""Name of the empty file whose presence says that there was a first run."""


def guide_for(settings: RunSettings) -> Guide:
    """A guide that offers the lesson if this is the first run, and one that the lesson fits."""
    if not (is_lesson_run(settings) and take_first_run()):
        return Guide()
    from gdtui.lesson.course.content import load

    return Guide(offer=load().words.offer)


def is_lesson_run(settings: RunSettings) -> bool:
    """True for the lesson's problem with its three variants."""
    sizes = tuple(variant.settings.batch_size for variant in settings.variants)
    return settings.problem == "synthetic" and sizes == DEFAULT_BATCH_SIZES


def take_first_run() -> bool:
    """True on the first call of this user; False if that cannot be remembered."""
    try:
        mark = mark_file()
        if not mark.parent.is_dir():
            make_directory(mark.parent)
        write_once(mark, b"")
    except (OSError, NoHomeError):  # there already, or it cannot be written
        return False
    return True


def mark_file() -> Path:
    """The file that remembers it, beside the directory of runs."""
    return default_root().parent / _MARK
