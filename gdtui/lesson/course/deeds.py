"""The kinds of deeds that the lesson waits for, each with the test of its being done. Pure.

A deed is judged by the facts now and those when the lesson began to wait for it.
"""

from typing import Final

import msgspec

from engine.settings import LrScaling
from engine.statistics.folding import FOLDED
from gdtui.lesson.course.facts import LessonFacts


class Deed(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True):
    """Something that the user does, or lets happen."""

    def is_done(self, now: LessonFacts, begun: LessonFacts) -> bool:
        """True once it is done; `begun`: the facts when the lesson began to wait."""
        raise NotImplementedError

    def bears_out(self, now: LessonFacts, begun: LessonFacts) -> bool:
        """True if what was measured bears out what the lesson says of it."""
        return True


class Choose(Deed, frozen=True, kw_only=True, tag="choose"):
    """Choosing a variant by its number; a bet, or an answer to a question."""

    right: int | None = None
    """The number that answers the question; None: any is fine."""

    def is_done(self, now: LessonFacts, begun: LessonFacts) -> bool:
        if now.choices == begun.choices or not now.choice:
            return False
        return self.right in (None, now.choice)


class Finish(Deed, frozen=True, kw_only=True, tag="finish"):
    """Letting all variants train to their end."""

    def is_done(self, now: LessonFacts, begun: LessonFacts) -> bool:
        return now.has_ended


class Fold(Deed, frozen=True, kw_only=True, tag="fold"):
    """Restarting all with linear scaling, and letting them train to their end."""

    def is_done(self, now: LessonFacts, begun: LessonFacts) -> bool:
        is_linear = now.rules == {LrScaling.LINEAR} and now.gap == now.gap  # NaN: not comparable
        is_fair = all(one.changed_at is None for one in now.variants)
        return now.has_ended and is_linear and is_fair

    def bears_out(self, now: LessonFacts, begun: LessonFacts) -> bool:
        return now.gap <= FOLDED


AnyDeed = Choose | Finish | Fold
KINDS: Final = frozenset({"choose", "finish", "fold"})
