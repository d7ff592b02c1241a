"""The effect of each key on a run, from requested settings to commands. No widget, no process.

Those that change no setting are in pace_controller.py. Each method returns the notes for the user.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from engine.log.records import Point, State
from engine.settings import VariantSettings
from gdtui.control.controls import Controls, ProgramControls
from gdtui.control.lineage import Kept, Lineage, Notes, nothing_kept
from gdtui.control.pace_controller import WATCHING, PaceController
from gdtui.control.settings import steps
from gdtui.control.settings.undo import SettingsStep, UndoStack, in_words
from gdtui.state.store import Store
from gdtui.state.variant import VariantState

_Step = Callable[[VariantState], VariantSettings | str]
"""The settings to change to, or the reason why there are none."""


class RunController(PaceController):
    """Turns keys into commands."""

    def __init__(
        self,
        store: Store,
        controls: Controls | None,
        *,
        refusal: str = WATCHING,
        kept: Kept = nothing_kept,
    ) -> None:
        """`kept`: the batches at which a variant's weights are kept."""
        super().__init__(store, controls, refusal=refusal)
        self._undo = UndoStack()
        self._lineage = None if controls is None else Lineage(store, controls, kept)

    def lose_control(self, reason: str) -> None:
        """Answer every later key with this reason."""
        super().lose_control(reason)
        self._lineage = None

    # --- A program ------------------------------------------------------------------------------

    def answer(self, name: str, question: int, choice: str) -> Notes:
        """Answer a question about what the program of this variant prints."""
        if not isinstance(self._controls, ProgramControls):
            return [self.refusal]
        self._controls.answer(name, question, choice)
        return []

    def type_text(self, name: str, text: str) -> Notes:
        """Type into the terminal of the program of this variant."""
        if not isinstance(self._controls, ProgramControls):
            return [self.refusal]
        self._controls.type_text(name, text)
        return []

    # --- Settings of the selected variants ------------------------------------------------------

    def batch(self, chosen: Sequence[VariantState], step: int) -> Notes:
        """Halve (−1) or double (1) the batch size."""
        return self._change(chosen, partial(steps.batch, step=step))

    def lr(self, chosen: Sequence[VariantState], step: int) -> Notes:
        """Move the base lr a rung down (−1) or up (1)."""
        return self._change(chosen, partial(steps.lr, step=step))

    def accumulation(self, chosen: Sequence[VariantState], step: int) -> Notes:
        """Halve (−1) or double (1) the accumulated batches."""
        return self._change(chosen, partial(steps.accumulation, step=step))

    def accumulate(self, chosen: Sequence[VariantState]) -> Notes:
        """Halve the batch, double the accumulation: the same effective batch, in less memory."""
        return self._change(chosen, steps.accumulate)

    def momentum(self, chosen: Sequence[VariantState]) -> Notes:
        """Switch the momentum between 0 and 0.9."""
        return self._change(chosen, steps.momentum)

    def apply(self, settings: Mapping[str, VariantSettings]) -> Notes:
        """Set exact settings, by variant."""
        return self._change(
            [self._store.variants[name] for name in settings], lambda one: settings[one.tally.name]
        )

    def _change(self, chosen: Sequence[VariantState], step: _Step) -> Notes:
        if self._controls is None:
            return [self.refusal]
        notes, changed = [], {}
        for one in chosen:
            settings = step(one)
            if isinstance(settings, str):
                notes.append(f"{one.tally.name}: {settings}")
            elif settings != one.wanted:
                changed[one.tally.name] = settings
        self._undo.note(self._wanted(changed), changed, restarts=False)
        return notes + self._send(changed)

    def _send(self, settings: Mapping[str, VariantSettings]) -> Notes:
        """Change these settings, or keep them for the restart of a variant without a worker."""
        about = {name: self._store.variants[name] for name in settings}
        kept = [name for name, one in about.items() if one.is_cut_short]
        for name in kept:
            about[name].pending.draft = settings[name]
        if self._controls is not None and len(kept) < len(settings):
            self._controls.change({name: settings[name] for name in settings if name not in kept})
        return [f"{name}: kept for the restart (r)" for name in kept]

    def _wanted(self, names: Iterable[str]) -> dict[str, VariantSettings]:
        return {name: self._store.variants[name].wanted for name in names}

    # --- Restart, scaling -----------------------------------------------------------------------

    def restart(self, chosen: Sequence[VariantState]) -> Notes:
        """Restart with the requested settings."""
        if self._controls is None or self._lineage is None:
            return [self.refusal]
        settings = {one.tally.name: one.wanted for one in chosen}
        ends = [self._lineage.end_of(one.tally.name, one.tally.generation) for one in chosen]
        if None not in ends:
            self._note_restart(settings, is_rewind=True)
        self._controls.restart(settings)
        self._store.forget_notices(settings)
        return self._still_paused(settings)

    def scaling(self, restart: bool) -> Notes:
        """Apply the next lr-scaling rule to all, from here on or from the same start."""
        states = self._store.states
        rule = states[0].wanted.lr_scaling.following

        def scaled(one: VariantState) -> VariantSettings:
            return replace(one.wanted, lr_scaling=rule)

        if not restart:
            notes = self._change(states, scaled)
            return notes or [f"lr scaling {rule} from here on; S restarts all with the next rule"]
        if self._controls is None:
            return [self.refusal]
        self._restart_with({one.tally.name: scaled(one) for one in states})
        return [
            f"lr scaling {rule}: all restart from the same first weights; backspace undoes",
            *self._still_paused(self._store.variants),
        ]

    def _restart_with(self, settings: Mapping[str, VariantSettings]) -> None:
        self._note_restart(settings)
        if self._controls is not None:
            self._controls.restart(settings)
            self._store.forget_notices(settings)

    def _note_restart(self, settings: Mapping[str, VariantSettings], **how: bool) -> None:
        generations = {name: self._store.variants[name].tally.generation for name in settings}
        self._undo.note(
            self._wanted(settings), settings, restarts=True, generations=generations, **how
        )

    def _still_paused(self, restarted: Iterable[str]) -> Notes:
        """A note if training is paused, since a restart does not resume it."""
        states = [self._store.variants[name].tally.state for name in restarted]
        is_paused = all(state is State.PAUSED for state in states)
        return ["still paused: space goes on"] if is_paused else []

    # --- Going back -----------------------------------------------------------------------------

    def refusal_of(self, key: str) -> str:
        """The answer to a key that goes back, to who may only watch the run."""
        if self.refusal != WATCHING:
            return self.refusal
        return f"only watching: {key} needs gdtui attach, or gdtui resume after the run's end"

    def rewind(self, batches: Mapping[str, int]) -> Notes:
        """Take variants back to so many batches each."""
        if self._lineage is None:
            return [self.refusal]
        self._note_restart(self._wanted(batches), is_rewind=True)
        return self._lineage.rewind(batches)

    def fork(self, batches: Mapping[str, int]) -> Notes:
        """Add a variant that begins after so many batches of another one."""
        return [self.refusal] if self._lineage is None else self._lineage.fork(batches)

    def add(self, like: VariantState) -> Notes:
        """Add a variant that begins at the initial weights, with the settings of another one."""
        return [self.refusal_of("N")] if self._lineage is None else self._lineage.add(like)

    def remove(self, one: VariantState) -> Notes:
        """Remove a variant from the comparison."""
        return [self.refusal] if self._lineage is None else self._lineage.remove(one)

    # --- Undo -----------------------------------------------------------------------------------

    @property
    def can_undo(self) -> bool:
        """True if a key has changed a setting."""
        return bool(self._undo)

    def undo(self) -> Notes:
        """Put the settings before the last change in force, with the weights if they are kept."""
        if self._controls is None or self._lineage is None:
            return [self.refusal]
        if (step := self._undo.take(self._wanted(self._store.variants))) is None:
            return ["nothing to undo: no setting has been changed by a key"]
        changed = in_words(step.before, step.after, self._store.states[0].tally.n)
        told = f"undone: {changed}" if changed else "undone: goes on"
        if points := self._points(self._lineage, step):
            separator = ", " if changed else " "
            return [f"{told}{separator}{self._lineage.go_back(step.after, points)}"]
        if not step.restarts:
            return [told, *self._send(step.after)]
        if step.is_rewind:
            return ["the checkpoints of what was abandoned are gone: it stays a ghost"]
        self._controls.restart(step.after)
        return [f"{told}; restarted from the first weights", *self._still_paused(step.after)]

    def _points(self, lineage: Lineage, step: SettingsStep) -> dict[str, Point]:
        """Points before the step; empty unless all variants can be taken back there."""
        found = {
            name: lineage.end_of(name, step.generations[name])
            if step.restarts
            else lineage.before_change(name, step.made[name])
            for name in step.after
        }
        points = {name: point for name, point in found.items() if point is not None}
        return points if len(points) == len(found) else {}

    def original(self) -> Notes:
        """Put the settings of the run's start in force; restart variants that a key restarted."""
        if self._controls is None:
            return [self.refusal]
        first = {variant.name: variant.settings for variant in self._store.settings.variants}
        first = {one.tally.name: first[one.tally.name] for one in self._store.states}
        wanted = self._wanted(first)
        away = {name: settings for name, settings in first.items() if settings != wanted[name]}
        if not away:
            return ["the settings are those of the start already"]
        told = f"as at the start: {in_words(wanted, away, self._store.states[0].tally.n)}"
        if not any(map(self._undo.has_restarted, away)):
            self._undo.note(wanted, away, restarts=False)
            return [told, *self._send(away)]
        self._restart_with(away)
        return [f"{told}; restarted", *self._still_paused(away)]
