"""The lesson on the main screen: gives the coach its facts, and shows its words.

Decides nothing about the lesson: gdtui/lesson/course does.
"""

from typing import TYPE_CHECKING

from textual.screen import Screen

from gdtui.lesson.course.guide import Guide
from gdtui.screens.main.overlaid import OverlaidScreen
from gdtui.widgets.coach import CoachLine

if TYPE_CHECKING:
    from gdtui.lesson.course.coach import Coach
    from gdtui.lesson.course.facts import LessonFacts


class GuidedScreen(OverlaidScreen):
    """The live screen, with the lesson's line if it is wanted."""

    @property
    def guide(self) -> Guide:
        return self.context.guide

    def figures_written(self) -> None:
        super().figures_written()
        self.follow_lesson()

    def follow_lesson(self) -> None:
        """Let the coach hear of the latest facts, and show its words."""
        guide, line = self.guide, self.query_one(CoachLine)
        if guide.coach is None or not guide.is_shown:
            self._show_offer()
            return
        facts = self._facts()
        before = guide.coach
        guide.coach = coach = before.heard(facts)
        if (coach.step_at, coach.part_at) != (before.step_at, before.part_at):
            guide.has_prepared = False
        self._prepare()
        said, words = coach.text(facts), coach.course.words
        offer = words.done if said.is_done else words.asking
        line.show_words(said.heading, said.text, offer, is_done=said.is_done)

    def _show_offer(self) -> None:
        line = self.query_one(CoachLine)
        if self.guide.offer:
            line.show_words("", self.guide.offer, "", is_done=False)
        else:
            line.hide_words()

    def _facts(self) -> "LessonFacts":
        from gdtui.lesson.course.facts import facts_of

        guide = self.guide
        return facts_of(
            self.viewer.store,
            choices=guide.choices,
            choice=guide.choice,
            opened=tuple(guide.opened),
        )

    def _prepare(self) -> None:
        """Bring the run into the state in which the current part begins."""
        guide = self.guide
        if guide.coach is None or guide.has_prepared:
            return
        if not guide.coach.part.pause:
            guide.has_prepared = True
        elif self.viewer.store.is_under_way:
            guide.has_prepared = True
            self.controller.hold()

    # --- What the user does ---------------------------------------------------------------------

    def action_guide(self) -> None:
        """Begin the lesson, come back to it, or go on in it."""
        from gdtui.lesson.course.coach import Coach
        from gdtui.lesson.course.content import load

        guide = self.guide
        guide.offer = ""
        if guide.coach is None:
            guide.coach = Coach(load())
            if not (self._facts().is_lesson_run and self.controller.is_ours):
                self.context.show_notes([guide.coach.course.words.elsewhere])
                guide.coach = None
                self.follow_lesson()
                return
            guide.is_shown = True
        elif not guide.is_shown:
            guide.is_shown = True
        else:
            self._go_on(guide.coach)
        self.follow_lesson()

    def _go_on(self, coach: "Coach") -> None:
        guide, words = self.guide, coach.course.words
        if coach.is_waiting:
            self.context.show_notes([words.refused.format(keys=coach.part.keys)])
        elif coach.is_last:
            guide.is_shown = False
            self.context.show_notes([words.over])
        else:
            guide.coach, guide.has_prepared = coach.gone_on(), False

    def leave_lesson(self) -> bool:
        """Hide the lesson's line; False if it is not shown."""
        guide = self.guide
        if not (guide.is_shown or guide.offer):
            return False
        if guide.is_shown and guide.coach is not None:
            self.context.show_notes([guide.coach.course.words.left])
        guide.is_shown, guide.offer = False, ""
        self.follow_lesson()
        return True

    def note_choice(self, place: int) -> None:
        """Note that the user chose this variant, or all (0)."""
        self.guide.choices += 1
        self.guide.choice = place or None

    def _open(self, screen: Screen[None]) -> None:
        self.guide.opened.append(getattr(screen, "NAME", type(screen).__name__))
        super()._open(screen)
