"""The experiments, each a claim of the lesson, tested over many seeds at the user's request."""

from functools import partial
from typing import Any, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.content import Content

from engine.experiments.job import ExperimentTask, run_experiment
from engine.experiments.registry import DEFAULT_SEEDS, LISTINGS
from engine.jobs.cores import fair_threads, usable_cores
from gdtui.control.lab import Lab, Work
from gdtui.screens.lab.lab import LabScreen
from gdtui.state.store import Store
from gdtui.view.text import lab_text
from gdtui.widgets.line import as_content

_NAME: Final = max(len(listing.name) for listing in LISTINGS) + 2
_VERDICT: Final = 14


class ExperimentsScreen(LabScreen):
    """A list, and below it the result of the selected experiment."""

    NAME = "experiments"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("X", "dismiss", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
    ]

    def __init__(self, lab: Lab, store: Store) -> None:
        """Select the running experiment, if there is one."""
        super().__init__(lab, store)
        names = [listing.name for listing in LISTINGS]
        self._at = names.index(lab.name) if lab.name in names else 0

    @property
    def subject(self) -> str:
        return LISTINGS[self._at].name

    def work(self) -> Work:
        """The experiment on the run's device, with the cores that the run leaves free."""
        task = ExperimentTask(
            name=self.subject,
            seeds=tuple(range(DEFAULT_SEEDS)),
            device=self.store.runs[0].device_of(0),
            threads=fair_threads(usable_cores(), 1),
        )
        return partial(run_experiment, task)

    def above(self) -> Content:
        return Content("\n").join(map(self._row, range(len(LISTINGS))))

    def _row(self, place: int) -> Content:
        name = LISTINGS[place].name
        is_here = place == self._at
        end = self.lab.ends.get(name)
        if name == self.lab.name:
            said = Content.styled(f"{self.lab.progress.fraction:.0%}", "$accent")
        else:
            not_run = Content.styled("not run yet", "$quiet")
            said = not_run if end is None else as_content(lab_text.verdict(end))
        head = Content.styled(
            f"{'▸' if is_here else ' '} {name:<{_NAME}}", "bold $accent" if is_here else ""
        )
        gap = Content(" " * max(_VERDICT - len(said.plain), 1))
        return (
            head + said + gap + Content.styled(LISTINGS[place].claim, "" if is_here else "$quiet")
        )

    def before(self) -> Content:
        listing = LISTINGS[self._at]
        return Content("\n").join(
            [
                as_content(lab_text.labelled_paragraph("claim", listing.claim, self.width)),
                as_content(lab_text.labelled_paragraph("source", listing.source, self.width)),
                Content(""),
                Content.styled(
                    f"enter tests it over {DEFAULT_SEEDS} seeds, in a separate process, in seconds "
                    "to a minute or "
                    f"two.{lab_text.waiting_note(self.store, is_ours=self.lab.is_ours)}",
                    "$quiet",
                ),
            ]
        )

    def result(self, found: Any, width: int) -> Content:
        return as_content(lab_text.report(found, width))

    def keys(self) -> str:
        if self.lab.name:
            return "↑ ↓ choose · c cancels"
        return (
            "↑ ↓ choose · r runs again · pgup pgdn scroll"
            if self.has_result
            else "↑ ↓ choose · enter runs"
        )

    def action_move(self, step: int) -> None:
        self._at = (self._at + step) % len(LISTINGS)
        self.show()
