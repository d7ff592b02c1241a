"""The effect of each key on a run, from requested settings to commands. No widget, no process.

Works on the store and sends commands through `Controls`, which the session implements. Each method
returns the notes for the user, if any.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol

from msgspec.structs import replace

from engine.log.notices import Notice
from engine.log.records import CommandSent, State
from engine.settings import FULL, VariantSettings
from gdtui.control import ladders
from gdtui.state.store import Store
from gdtui.state.variant import VariantState
from gdtui.view.text import formatting


class Controls(Protocol):
    """The way to the workers; `engine.session.Session` is one."""

    def change(self, settings: Mapping[str, VariantSettings]) -> None: ...
    def restart(self, settings: Mapping[str, VariantSettings]) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def step_once(self, names: Iterable[str]) -> None: ...
    def set_pace(self, pace: float | None) -> None: ...
    def extend(self) -> None: ...
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

    # --- Settings of the selected variants ------------------------------------------------------

    def batch(self, chosen: Sequence[VariantState], step: int) -> Notes:
        """Halve (−1) or double (1) the batch size."""

        def stepped(one: VariantState) -> VariantSettings | str:
            if not one.tally.n:
                return "its data are still being loaded"
            size = ladders.next_batch_size(one.wanted.batch_size, one.tally.n, step)
            if size is None:
                return "the batch is full already" if step > 0 else "the batch is 1 already"
            return replace(one.wanted, batch_size=size)

        return self._change(chosen, stepped)

    def lr(self, chosen: Sequence[VariantState], step: int) -> Notes:
        """Move the base lr a rung down (−1) or up (1)."""

        def stepped(one: VariantState) -> VariantSettings | str:
            lr = ladders.next_lr(one.wanted.lr, step)
            if lr is None:
                last = formatting.setting(one.wanted.lr)
                return f"lr {last} is the end of the ladder; enter takes any value"
            return replace(one.wanted, lr=lr)

        return self._change(chosen, stepped)

    def accumulation(self, chosen: Sequence[VariantState], step: int) -> Notes:
        """Halve (−1) or double (1) the accumulated batches."""

        def stepped(one: VariantState) -> VariantSettings | str:
            wanted = one.wanted
            if not one.tally.n:
                return "its data are still being loaded"
            steps = ladders.next_accumulation(
                wanted.accumulation_steps, wanted.batch_size, one.tally.n, step
            )
            if steps is None and step < 0:
                return "accumulation is ×1 already"
            if steps is None:
                what = (
                    "each piece is one sample"
                    if wanted.batch_size == FULL
                    else "an update holds all samples"
                )
                return f"{what} already"
            return replace(wanted, accumulation_steps=steps)

        return self._change(chosen, stepped)

    def accumulate(self, chosen: Sequence[VariantState]) -> Notes:
        """Halve the batch, double the accumulation: the same effective batch, in less memory.

        If memory ran out, restore the effective batch by accumulating batches of the size that
        fits.
        """

        def stepped(one: VariantState) -> VariantSettings | str:
            n, wanted = one.tally.n, one.wanted
            if not n:
                return "its data are still being loaded"
            size = wanted.resolve(n).batch_size
            if one.too_large is not None and wanted == one.tally.settings:
                return one.too_large.in_batches_of(size, n)
            return wanted.in_batches_of(size // 2, n) if size > 1 else "the batch is 1 already"

        return self._change(chosen, stepped)

    def momentum(self, chosen: Sequence[VariantState]) -> Notes:
        """Switch the momentum between 0 and 0.9."""

        def stepped(one: VariantState) -> VariantSettings | str:
            if "momentum" in one.wanted.optimizer_parsed.arguments:
                return "the optimizer's arguments set its momentum; enter changes them"
            return replace(one.wanted, momentum=0.0 if one.wanted.momentum else ladders.MOMENTUM)

        return self._change(chosen, stepped)

    def apply(self, settings: Mapping[str, VariantSettings]) -> Notes:
        """Set exact settings, by variant."""
        return self._change(
            [self._store.variants[name] for name in settings], lambda one: settings[one.tally.name]
        )

    def _change(self, chosen: Sequence[VariantState], step: _Step) -> Notes:
        if self._controls is None:
            return [self.refusal]
        notes, told = [], {}
        for one in chosen:
            settings = step(one)
            if isinstance(settings, str):
                notes.append(f"{one.tally.name}: {settings}")
            elif one.is_cut_short:
                one.pending.draft = settings
                notes.append(f"{one.tally.name}: kept for the restart (r)")
            elif settings != one.wanted:
                told[one.tally.name] = settings
        if told:
            self._controls.change(told)
        return notes

    # --- Restart, scaling -----------------------------------------------------------------------

    def restart(self, chosen: Sequence[VariantState]) -> Notes:
        """Restart with the requested settings."""
        if self._controls is None:
            return [self.refusal]
        self._controls.restart({one.tally.name: one.wanted for one in chosen})
        return _still_paused(chosen)

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
        self._controls.restart({one.tally.name: scaled(one) for one in states})
        return [
            f"lr scaling {rule}: all restart from the same first weights",
            *_still_paused(states),
        ]

    # --- Going on -------------------------------------------------------------------------------

    def pause(self) -> Notes:
        """Pause all, or resume all; if a log could not be written, try again first."""
        if self._controls is None:
            return [self.refusal]
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
        """Pause training for a while; False if there was nothing to pause, or it is not ours."""
        if self._controls is None or not self._store.is_going:
            return False
        self._controls.pause()
        return True

    def release(self) -> None:
        """Resume what was held."""
        if self._controls is not None:
            self._controls.resume()

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
        self._controls.extend()
        return [f"{self._store.settings.epochs} more epochs"]

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


def _still_paused(restarted: Iterable[VariantState]) -> Notes:
    """A note if training is paused, since a restart does not resume it."""
    is_paused = all(one.tally.state is State.PAUSED for one in restarted)
    return ["still paused: space goes on"] if is_paused else []
