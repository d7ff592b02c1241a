"""The sweep: the lesson's trade-off table measured on the run's problem, and the choice."""

from functools import partial
from typing import Any, ClassVar

from msgspec.structs import replace
from textual.binding import Binding, BindingType
from textual.content import Content

from engine.jobs.messages import Result
from engine.log.filesystem.private import PrivateDirectory
from engine.settings import RunSettings, Variant, VariantSettings, default_names
from engine.sweep.defaults import BATCH_SIZES, EPOCHS
from engine.sweep.run import Plan, sweep
from engine.sweep.table import Recommendation, label
from gdtui.control.lab import Lab, Work
from gdtui.control.run_controller import RunController
from gdtui.screens.lab.lab import LabScreen
from gdtui.state.runs.new_run import begin_sweep
from gdtui.state.store import Store
from gdtui.view.text import formatting, lab_text
from gdtui.widgets.line import as_content


class SweepScreen(LabScreen):
    """Every batch size is measured with the other settings of one variant."""

    NAME = "sweep"
    ON_THREAD = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("W", "dismiss", show=False),
        Binding("up", "scroll(0, -1)", show=False),
        Binding("down", "scroll(0, 1)", show=False),
        *(Binding(str(place), f"give({place - 1})", show=False) for place in range(1, 10)),
    ]

    def __init__(
        self,
        lab: Lab,
        store: Store,
        controller: RunController,
        at: int,
        handover: PrivateDirectory | None,
    ) -> None:
        """`at`: the place of that variant. `handover`: the directory of its run's loader."""
        super().__init__(lab, store)
        self._controller, self._at, self._handover = controller, at, handover

    @property
    def subject(self) -> str:
        return "sweep"

    def work(self) -> Work:
        begin = partial(begin_sweep, None)
        return partial(sweep, Plan(plan(self.store, self._at), None, begin, self._handover))

    def above(self) -> Content:
        one = self.store.states[self._at]
        base, run = one.wanted, self.store.run_settings(one)
        rule = f", lr scaling {base.lr_scaling}" if base.lr_scaling != "none" else ""
        sizes = ", ".join(map(label, BATCH_SIZES))
        return Content.styled(
            f"{run.title} · batch sizes {sizes} · {EPOCHS} epochs each, one at a "
            f"time · lr {formatting.setting(base.lr)}{rule} · {base.optimizer} · seed "
            f"{run.seed}",
            "$quiet",
        )

    def before(self) -> Content:
        return Content(
            "enter measures, for each batch size alone on the machine: gradient noise, speed, "
            "memory, the loss after equal epochs and after equal seconds, the validation gap; "
            "beside the lesson's words for them. Then it names what was measured best in "
            "the same time, and after that what theory predicts once the lr is tuned."
            f"{lab_text.waiting_note(self.store, is_ours=self.lab.is_ours)} The sweep is kept: "
            "gdtui watch shows its arms over each other."
        )

    def result(self, found: Any, width: int) -> Content:
        return as_content(lab_text.table(found, width))

    def so_far(self, found: Any, width: int) -> Content:
        return as_content(lab_text.table_so_far(found, width))

    def keys(self) -> str:
        if self.lab.name:
            return "c cancels"
        if not self.has_result:
            return "enter measures"
        end = self.lab.ends[self.subject]
        if not (self.lab.is_ours and isinstance(end, Result) and end.value.recommendation):
            return "r again · ↑ ↓ ← → scroll"
        places = f"1…{len(self.store.states)}" if len(self.store.states) > 1 else "1"
        return f"{places} trains that variant so · r again · ↑ ↓ ← → scroll"

    def action_give(self, place: int) -> None:
        """Let a variant go on with the settings that were measured best."""
        end = self.lab.ends.get(self.subject)
        if (
            place >= len(self.store.states)
            or not isinstance(end, Result)
            or not end.value.recommendation
        ):
            return
        one = self.store.states[place]
        settings = recommended(one.wanted, end.value.recommendation, one.tally.n)
        notes = self._controller.apply({one.tally.name: settings})
        for note in notes or [f"{one.tally.name}: {_described(settings)}"]:
            self.app.notify(note)


def plan(store: Store, at: int) -> RunSettings:
    """The run's problem, seed and device, and the settings of one variant at every batch size."""
    one = store.states[at]
    run, base = store.run_settings(one), replace(one.wanted, accumulation_steps=1, drop_last=False)
    names = default_names(BATCH_SIZES)
    arms = (replace(base, batch_size=size) for size in BATCH_SIZES)
    return replace(
        run,
        variants=tuple(
            Variant(name=name, settings=arm) for name, arm in zip(names, arms, strict=True)
        ),
        epochs=EPOCHS,
        device=store.device_of(one),
        pace=None,
    )


def recommended(wanted: VariantSettings, choice: Recommendation, n: int) -> VariantSettings:
    """A variant's settings, with the recommended ones; `n`: training samples.

    The lr that is recommended is the one in force: the base lr is what its rule makes that of.
    """
    settings = replace(
        wanted, batch_size=choice.batch_size, accumulation_steps=choice.accumulation_steps
    )
    resolved = settings.resolve(n)
    return replace(settings, lr=settings.lr * choice.lr / resolved.lr)


def _described(settings: VariantSettings) -> str:
    steps = f", ×{settings.accumulation_steps}" if settings.accumulation_steps > 1 else ""
    return f"batch {label(settings.batch_size)}{steps}, base lr {formatting.setting(settings.lr)}"
