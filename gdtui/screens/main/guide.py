"""The lesson on the main screen: gives the coach its facts, and shows its words.

Decides nothing about the lesson: gdtui/lesson/course does.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from textual.screen import Screen

from gdtui.lesson.course.guide import Guide
from gdtui.screens.main.overlaid import OverlaidScreen
from gdtui.widgets.coach import CoachLine, with_keys

if TYPE_CHECKING:
    from gdtui.control.run_controller import RunController
    from gdtui.control.viewer import Viewer
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
        if self.app.screen_stack and self._front is not self:
            return  # another run lies on top, and the lesson is about that one
        guide, line = self.guide, self.query_one(CoachLine)
        if guide.coach is None or not guide.is_shown:
            self._show_offer()
            return
        if self._change_run(guide.coach):
            return
        facts = self._facts()
        before = guide.coach
        guide.coach = coach = before.heard(facts)
        if (coach.step_at, coach.part_at) != (before.step_at, before.part_at):
            guide.has_prepared = False
        self._prepare(coach)
        said, words = coach.text(facts), coach.course.words
        offer = words.done if said.is_done else words.asking
        line.show_words(said.heading, with_keys(said.text), offer, is_done=said.is_done)

    @property
    def _front(self) -> "GuidedScreen | None":
        """The screen of the run on top."""
        stack = reversed(self.app.screen_stack)
        return next((each for each in stack if isinstance(each, GuidedScreen)), None)

    def _show_offer(self) -> None:
        line = self.query_one(CoachLine)
        if self.guide.offer:
            line.show_words("", with_keys(self.guide.offer), "", is_done=False)
        else:
            line.hide_words()

    def _facts(self) -> "LessonFacts":
        from engine.jobs.messages import Result
        from gdtui.lesson.course.facts import facts_of

        guide, ends = self.guide, self._lab.ends if self._lab is not None else {}
        return facts_of(
            self.viewer.store,
            choices=guide.choices,
            choice=guide.choice,
            opened=tuple(guide.opened),
            results={name: end.value for name, end in ends.items() if isinstance(end, Result)},
        )

    def _prepare(self, coach: "Coach") -> None:
        """Bring the run into the state in which the current part begins."""
        guide = self.guide
        if guide.has_prepared or not coach.is_waiting:
            return
        if guide.is_away:
            if not self.viewer.store.is_under_way:
                return
            self.controller.measure(self.viewer.store.states)  # its curvature is the point
        elif coach.part.pause:
            self.controller.hold()
        guide.has_prepared = True

    # --- The run of a step ----------------------------------------------------------------------

    def _change_run(self, coach: "Coach") -> bool:
        """Open or close the quadratic, if the part that begins is about the other run."""
        wants_quadratic = coach.part.run == "quadratic"
        if not coach.is_waiting or wants_quadratic == self.guide.is_away:
            return False
        if wants_quadratic:
            return self._open_quadratic()
        self._close_quadratic()
        return True

    def _open_quadratic(self) -> bool:
        """Open the quadratic on top of the lesson's run; False if it cannot be created."""
        from engine.log.directory import RunDirectoryError
        from gdtui.control.connect import connect
        from gdtui.lesson.course.runs import quadratic_run
        from gdtui.state.overlay.shown_runs import ShownRuns
        from gdtui.view.view_state import ViewState

        guide, view = self.guide, self.viewer.view
        if guide.open_run is None or self.app.screen is not self:
            return False
        try:
            run, start = guide.open_run(quadratic_run(self.viewer.store.settings))
        except RunDirectoryError as error:
            self.context.show_notes([str(error)], "error")
            return False
        guide.forget_begun()
        guide.is_away = True
        shown, plain = ShownRuns.of(run), ViewState(colours=view.colours, ink=view.ink)

        def begin() -> "tuple[Viewer, RunController]":
            controls, source = start()
            return connect(shown, source, controls, plain)

        context = replace(self.context, shown=shown, connect=begin)
        self.app.push_screen(type(self)(context, self._make_lab))
        return True

    def _close_quadratic(self) -> None:
        """Return from the quadratic to the lesson's run."""
        self.guide.is_away = False
        self.guide.forget_begun()
        self.controller.hold()
        self.close_lab()
        self.dismiss()

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
        if guide.is_away:
            self._close_quadratic()
        return True

    def note_choice(self, place: int) -> None:
        """Note that the user chose this variant, or all (0)."""
        guide = self.guide
        guide.choices, guide.choice = guide.choices + 1, place or None
        coach = guide.coach if guide.is_shown else None
        if coach is not None and place and coach.finds_wrong(place):
            self.context.show_notes([coach.course.words.wrong])

    def _open(self, screen: Screen[None]) -> None:
        self.guide.opened.append(type(screen).__name__.removesuffix("Screen").lower())
        super()._open(screen)
