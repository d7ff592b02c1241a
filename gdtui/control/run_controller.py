"""The effect of each key on a run, from requested settings to commands. No widget, no process.

Works on the store and sends commands through `Controls`, which the session implements. Each method
returns the notes for the user, if any.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, Protocol

from msgspec.structs import replace

from engine.log.notices import Notice
from engine.log.records import CommandSent, State
from engine.settings import VariantSettings
from gdtui.control.settings import ladders, steps
from gdtui.control.settings.undo import UndoStack, in_words
from gdtui.state.store import Store
from gdtui.state.variant import VariantState


class Controls(Protocol):
    """The way to the workers: a Session in this process, or a RemoteSession to the run's host."""

    def change(self, settings: Mapping[str, VariantSettings]) -> None: ...
    def restart(self, settings: Mapping[str, VariantSettings]) -> None: ...
    def pause(self) -> None: ...
    @property
    def is_shared(self) -> bool: ...
    def hold(self) -> None: ...
    def release(self) -> None: ...
    def resume(self) -> None: ...
    def step_once(self, names: Iterable[str]) -> None: ...
    def set_pace(self, pace: float | None) -> None: ...
    def extend(self, epochs: int) -> None: ...
    def measure(self, names: Iterable[str]) -> None: ...
    def set_measuring(self, is_on: bool) -> None: ...
    def take_sent(self) -> Sequence[CommandSent]: ...
    def poll(self) -> list[Notice]: ...


WATCHING: Final = "only watching: keys cannot change how this run trains"
Notes = list[str]
_Step = Callable[[VariantState], VariantSettings | str]
"""The settings to change to, or the reason why there are none."""


class RunController:
    """Turns keys into commands."""

    def __init__(self, store: Store, controls: Controls | None, *, refusal: str = WATCHING) -> None:
        """`refusal`: the answer to every key if there are no controls."""
        self.refusal = refusal
        self._store = store
        self._controls = controls
        self._last_pace: float | None = None
        self._undo, self._holds = UndoStack(), 0

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
        if self._controls is None:
            return [self.refusal]
        settings = {one.tally.name: one.wanted for one in chosen}
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
        self._undo.note(self._wanted(settings), settings, restarts=True)
        if self._controls is not None:
            self._controls.restart(settings)
            self._store.forget_notices(settings)

    def _still_paused(self, restarted: Iterable[str]) -> Notes:
        """A note if training is paused, since a restart does not resume it."""
        states = [self._store.variants[name].tally.state for name in restarted]
        is_paused = all(state is State.PAUSED for state in states)
        return ["still paused: space goes on"] if is_paused else []

    # --- Undo -----------------------------------------------------------------------------------

    @property
    def can_undo(self) -> bool:
        """True if a key has changed a setting."""
        return bool(self._undo)

    def undo(self) -> Notes:
        """Put the settings before the last change in force, with a restart if that restarted."""
        if self._controls is None:
            return [self.refusal]
        if (step := self._undo.take(self._wanted(self._store.variants))) is None:
            return ["nothing to undo: no setting has been changed by a key"]
        told = f"undone: {in_words(step.before, step.after, self._store.states[0].tally.n)}"
        if not step.restarts:
            return [told, *self._send(step.after)]
        self._controls.restart(step.after)
        return [f"{told}; restarted from the first weights", *self._still_paused(step.after)]

    def original(self) -> Notes:
        """Put the settings of the run's start in force; restart variants that a key restarted."""
        if self._controls is None:
            return [self.refusal]
        first = {variant.name: variant.settings for variant in self._store.settings.variants}
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

    # --- Going on -------------------------------------------------------------------------------

    def pause(self) -> Notes:
        """Pause all, or resume all; if a log could not be written, try again first."""
        if self._controls is None:
            return [self.refusal]
        self._holds = 0
        is_blocked = any(one.blocked for one in self._store.states)
        if self._store.is_going and not is_blocked:
            self._controls.pause()
            return []
        self._store.unblock()
        self._controls.resume()
        return ["all variants have ended: c continues, r restarts"] if self._store.has_ended else []

    @property
    def is_ours(self) -> bool:
        """True if keys can change how this run trains."""
        return self._controls is not None

    def poll(self) -> list[Notice]:
        """Notices of the session since the last call; also sends waiting commands."""
        self.note_sent()
        return [] if self._controls is None else self._controls.poll()

    def note_sent(self) -> None:
        """Treat commands just sent as pending, before they are in the log.

        The next key starts from there: keys may come faster than logs are read.
        """
        for sent in () if self._controls is None else self._controls.take_sent():
            self._store.variants[sent.variant].pending.add(sent)

    def hold(self) -> bool:
        """Let training wait; False if it does not run, or is not ours."""
        if self._controls is None or self._store.has_ended:
            return False
        is_going = self._store.is_going
        if is_going or self._controls.is_shared:  # those who hold it may release it before this one
            self._holds += 1
            self._controls.hold()
        return is_going

    def release(self) -> None:
        """Resume what was held, once for each hold."""
        if self._controls is not None and self._holds:
            self._holds -= 1
            if not self._holds:
                self._controls.release()

    def step(self, chosen: Sequence[VariantState]) -> Notes:
        """Train each of these by one update."""
        if self._controls is None:
            return [self.refusal]
        able = [one.tally.name for one in chosen if not one.has_ended]
        self._controls.step_once(able)
        return [] if able else ["nothing is training: c continues, r restarts"]

    def extend(self) -> Notes:
        """Train for as many epochs again."""
        if self._controls is None:
            return [self.refusal]
        more = self._store.settings.epochs
        self._controls.extend(self._store.epochs_requested + more)
        return [f"{more} more epochs"]

    def pace(self, step: int) -> Notes:
        """Make the pace slower (−1) or faster (1)."""
        if self._controls is None:
            return [self.refusal]
        following = ladders.next_pace(self._store.pace, step)
        if following is None:
            return ["free already" if step > 0 else "the slowest pace already; space pauses"]
        return self._set_pace(following[0])

    def free(self) -> Notes:
        """Train as fast as the device allows, or at the previous pace again."""
        pace = self._store.pace
        if pace is None:
            return self._set_pace(self._last_pace or self._store.settings.pace or 1.0)
        return self._set_pace(None)

    def _set_pace(self, pace: float | None) -> Notes:
        if self._controls is None:
            return [self.refusal]
        if pace is None:
            self._last_pace = self._store.pace
        self._controls.set_pace(pace)
        return []

    # --- Measuring ------------------------------------------------------------------------------

    def measure(self, chosen: Sequence[VariantState]) -> Notes:
        """Measure noise scale and sharpness at once."""
        if self._controls is None:
            return [self.refusal]
        able = [
            one.tally.name for one in chosen if one.current is not None and not one.is_cut_short
        ]
        self._controls.measure(able)
        return ["measuring…"] if able else ["there are no weights to measure yet"]

    def measuring(self) -> Notes:
        """Measure regularly, or only on request."""
        if self._controls is None:
            return [self.refusal]
        is_on = not any(one.is_measuring for one in self._store.states)
        self._controls.set_measuring(is_on)
        return [
            "measuring now and then, 2% of the time" if is_on else "measuring only when asked (!)"
        ]
