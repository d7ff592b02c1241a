"""The lesson as data: reads course.toml, or a translation of it, and checks it.

Every text is in that file. Deeds and figures are named there and defined in deeds.py, figures.py.
"""

from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Final, Literal

import msgspec

from gdtui.lesson.course.deeds import AnyDeed
from gdtui.lesson.course.figures import FIGURES

FILE: Final = Path(__file__).with_name("course.toml")

BLOCKS: Final = (
    "three variants",
    "side by side",
    "final loss and spread",
    "noise that helps",
    "flat minima",
    "batch size controls the noise",
    "linear scaling rule",
    "data loader",
    "train epoch",
    "trade-offs",
    "practical defaults",
    "gradient accumulation",
    "interview answer",
)
"""The blocks of the written lesson; each has a step that brings it to life."""


class CourseError(ValueError):
    """A file that is not a lesson; the message says why."""


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One deed: what to do, and what to say once it is done."""

    ask: str
    keys: str
    """The keys of the deed, as the refusal to go on names them."""
    deed: AnyDeed
    said: tuple[str, ...] = ()
    """Pages about what was measured; without any, the next part follows at once."""
    otherwise: tuple[str, ...] = ()
    """Pages in their place if what was measured does not bear them out."""
    pause: bool = False
    """Pause training before it; at the start of a run, before the first batch."""
    run: Literal["lesson", "quadratic"] = "lesson"
    """The run that it is about; the quadratic opens on top of the lesson's."""


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step of the lesson."""

    name: str
    title: str
    """One line for `gdtui lesson --list`."""
    blocks: tuple[str, ...]
    """The blocks of the written lesson that it brings to life."""
    parts: tuple[Part, ...]


class Words(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The short texts around the steps."""

    offer: str
    asking: str
    done: str
    refused: str
    """Takes {keys}."""
    wrong: str
    left: str
    elsewhere: str
    over: str


class Course(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole lesson."""

    language: str
    words: Words
    steps: tuple[Step, ...]

    def find(self, wanted: str) -> int:
        """The index of a step given by name or by number from 1; KeyError if there is none."""
        names = [step.name for step in self.steps]
        if wanted in names:
            return names.index(wanted)
        if wanted.isdecimal() and 1 <= int(wanted) <= len(names):
            return int(wanted) - 1
        raise KeyError(wanted)


def load(path: Path = FILE) -> Course:
    """Read a lesson; CourseError if the file is not one."""
    try:
        course = msgspec.toml.decode(path.read_bytes(), type=Course)
    except (msgspec.DecodeError, ValueError) as error:
        raise CourseError(f"{path.name}: {error}") from None
    for problem in _problems(course):
        raise CourseError(f"{path.name}: {problem}")
    return course


def _problems(course: Course) -> Iterator[str]:
    names = [step.name for step in course.steps]
    if not names:
        yield "no step"
    blocks = [block for step in course.steps for block in step.blocks]
    for block in sorted({*BLOCKS} - {*blocks}):
        yield f"no step for the block {block!r}"
    for block in sorted({*blocks} - {*BLOCKS}):
        yield f"unknown block {block!r}"
    if len({*names}) < len(names):
        yield "two steps have one name"
    if _placeholders(course.words.refused) - {"keys"}:
        yield "words.refused: only {keys} has a meaning there"
    for step in course.steps:
        if not step.parts:
            yield f"step {step.name}: no part"
        for text in (
            text for part in step.parts for text in (part.ask, *part.said, *part.otherwise)
        ):
            for name in sorted(_placeholders(text) - FIGURES.keys()):
                yield f"step {step.name}: unknown figure {{{name}}}"


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
