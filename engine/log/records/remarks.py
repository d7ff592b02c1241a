"""Remarks on how a program or script is to be read, the questions about it, and their answers."""

from typing import Annotated

import msgspec

from engine.log.records.base import Record
from engine.settings.ranges import Count, Identifier

ChoiceWord = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class Remarked(Record, frozen=True, kw_only=True):
    """A sentence about how the output of a program is read, or the figures of a script."""

    text: Annotated[str, msgspec.Meta(max_length=2_000)]
    question: Identifier = 0
    """The number of the question that it asks or answers; 0 for a remark alone."""
    choices: Annotated[tuple[ChoiceWord, ...], msgspec.Meta(max_length=10)] = ()
    """The possible answers to the question that it asks; the first one is assumed meanwhile."""
    answer: Annotated[str, msgspec.Meta(max_length=40)] = ""
    """The answer that it records; empty if it records none."""
    batches: Count | None = None
    """Batches that the script had trained; None for a program."""
