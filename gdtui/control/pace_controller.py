"""The keys that change no setting: pause, pace, epochs, measuring. No widget, no process.

Works on the store and sends commands through `Controls`. Each method returns the notes for the
user, if any.
"""

from collections.abc import Sequence
from typing import Final

from engine.log.notices import Notice, NoticeKind
from engine.log.records import State
from gdtui.control.controls import Controls
from gdtui.control.lineage import Notes
from gdtui.control.settings import ladders
from gdtui.state.store import Store
from gdtui.state.variant import VariantState

WATCHING: Final = "only watching: keys cannot change how this run trains"


class PaceController:
    """Turns keys into commands about the time of training; the base of RunController."""

    def __init__(self, store: Store, controls: Controls | None, *, refusal: str = WATCHING) -> None:
        """`refusal`: the answer to every key if there are no controls."""
        self.refusal = refusal
        self._store = store
        self._controls = controls
        self._last_pace: float | None = None
        self._holds = 0

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
        notices = [] if self._controls is None else self._controls.poll()
        for notice in notices:
            if notice.kind is NoticeKind.HOST_GONE:
                self.lose_control(notice.text)
        return notices

    def lose_control(self, reason: str) -> None:
        """Answer every later key with this reason."""
        self._controls, self.refusal = None, reason
        self.note_sent()

    def note_sent(self) -> None:
        """Treat commands just sent as pending, before they are in the log, or even answered.

        The next key starts from there: keys may come faster than logs are read, or a host answers.
        """
        controls = self._controls
        for sent in () if controls is None else controls.take_sent():
            if sent.variant in self._store.variants:  # not one that was added just now
                self._store.variants[sent.variant].pending.add(sent)
        asked = {} if controls is None else controls.asked
        for name, one in self._store.variants.items():
            one.pending.asked = asked.get(name, ())

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
        """Train for as many epochs again, or to the planned end if the run was cut short."""
        if self._controls is None:
            return [self.refusal]
        if any(one.tally.state is State.STOPPED for one in self._store.states):
            self._controls.extend(self._store.epochs_requested)
            return [f"goes on, to {self._store.epochs_requested} epochs"]
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
