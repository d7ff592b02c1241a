"""The screen's state of one variant: figures, every loss, the changes to mark, pending commands.

A fold over the records about it; the figures that all front ends share come from the tally.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.log.commands import Pause, Resume
from engine.log.figures.growth import DIVERGING, verdict
from engine.log.reading.loss_block import LossBlock
from engine.log.reading.notes import notes_of
from engine.log.records import (
    AnyRecord,
    Changed,
    Chunk,
    Evaluation,
    Measured,
    Scalars,
    Started,
    State,
    Validated,
)
from engine.log.summary import Tally
from engine.programs import PROGRAM
from engine.settings import VariantSettings
from gdtui.chart.scene.polyline import Axis
from gdtui.state.curves import Curves, CurvesByGeneration
from gdtui.state.pending import Pending

SMOOTHING: Final = 0.25
"""Default time constant of the smoothed loss, in epochs."""
PLACE: Final = {Axis.SAMPLES: 0, Axis.UPDATES: 1, Axis.SECONDS: 2}
"""The column of each axis in a row of samples, updates, seconds."""
_MOST_SCATTERED: Final = 8_192
"""Approximate number of losses from which the spread's shape is drawn."""
_SPEED_SECONDS: Final = 1.0
"""The training time in seconds over which samples/s is averaged."""
_BEHIND_CHUNKS: Final = 5
_NO_PAST: Final = "the batches after which it begins are not in the run's logs: no curve"


class Transition(StrEnum):
    """The transition that an unconfirmed command has begun, as shown."""

    RESTARTING = "restarting…"
    REWINDING = "rewinding…"
    PAUSING = "pausing…"
    RESUMING = "resuming…"


@dataclass(slots=True)
class VariantState:
    """The state of a variant."""

    index: int
    """The place among the variants on screen, from 0."""
    tally: Tally
    named_for: VariantSettings | None = None
    """The first settings, which a name may state; None: the name states none."""
    pending: Pending = field(default_factory=Pending)
    current: Curves | None = None
    ghost: Curves | None = None
    """The previous generation, if any loss was recorded in it."""
    hue: int = 0
    """The place of the variant's colour in the palette, which stays when others are removed."""
    said: deque[str] = field(default_factory=deque)
    """Messages of the log to the user, which the app takes."""
    notice: str = ""
    """The session's notice about the variant, which its log may be unable to record."""
    too_large: VariantSettings | None = None
    """Settings that ran out of memory; it uses less until others are chosen."""
    blocked: str = ""
    """Why it waits, in two words, e.g. for a log that cannot be written; overrides its log."""
    _smoothed: dict[float, float] = field(default_factory=dict)
    """The smoothed losses computed since the last chunk, by their time constants."""
    _trained: deque[Chunk] = field(default_factory=deque)
    generations: CurvesByGeneration = field(default_factory=CurvesByGeneration)

    def add(self, record: AnyRecord | LossBlock, source: CurvesByGeneration | None = None) -> None:
        """Take in the next record about this variant, or the next block.

        `source`: the generations of the variant that was forked, if one begins here.
        """
        if isinstance(record, LossBlock):
            self._add_block(record)
            return
        before = self.tally.settings
        self.tally.add(record)
        self.pending.add(record)
        match record:
            case Chunk():  # nearly all records are chunks
                self._learn(record)
            case Started():
                self._begin(record, source)
            case Changed():
                self._mark(record, before)
            case Measured() if self.current and record.generation == self.tally.generation:
                self.current.measure(record, self.tally.noise_scale, self.tally.settings)
            case Evaluation() | Validated() | Scalars() if self.current is not None:
                self.current.add(record, self.tally.settings)
            case _:
                self.said += notes_of(self.tally.name, record)

    def _add_block(self, block: LossBlock) -> None:
        """Take in losses and evaluations, which no pending command depends on."""
        self.tally.add(block)
        if self.current is None:
            return
        self.current.evaluate_all(block.evaluations, self.tally.settings)
        if block.chunks:
            self.current.history.extend(block)
            self._note_speed(block.chunks)

    def _begin(self, record: Started, source: CurvesByGeneration | None) -> None:
        now = self.current
        if now is not None and len(now.history) > now.shared:
            is_answer = record.origin is not None and record.device == PROGRAM
            self.ghost = None if is_answer else now  # the same losses, in the same training
        self.current = self.generations.begin(record, source)
        self.notice = _NO_PAST if self.current is None else ""
        self.blocked, self.too_large = "", None
        self.said.append(record.device_note)
        self._smoothed.clear()
        self._trained.clear()

    def _learn(self, chunk: Chunk) -> None:
        if self.current is None:
            return
        self.current.history.append(chunk)
        self._note_speed([chunk])

    def _note_speed(self, chunks: Sequence[Chunk]) -> None:
        """Keep the chunks from which the recent speed is computed."""
        self._smoothed.clear()
        since = chunks[-1].seconds - _SPEED_SECONDS
        first = len(chunks) - 1
        while first > 0 and chunks[first].seconds >= since:
            first -= 1
        self._trained.extend(chunks[max(first - 1, 0) :])
        while len(self._trained) > 2 and self._trained[1].seconds < since:
            self._trained.popleft()

    def _mark(self, record: Changed, before: VariantSettings) -> None:
        if self.current is not None:
            self.current.add_change(record, before)
        n = self.tally.n  # 0 if the log does not say
        wanted = before.resolve(n).effective_batch if n else 0
        is_less = n and record.settings.resolve(n).effective_batch < wanted
        self.too_large = before if is_less and not record.command else None  # out of memory
        if record.note:
            offer = f"; u accumulates {wanted:,} from such batches" if self.too_large else ""
            self.said.append(f"{self.tally.name}: {record.note}{offer}")
        self._trained.clear()  # later chunks run at another speed

    # --- Figures --------------------------------------------------------------------------------

    @property
    def wanted(self) -> VariantSettings:
        """The settings once all pending commands take effect; impossible ones will be refused."""
        wanted = self.pending.settings(self.tally.settings)
        return self.tally.settings if self.tally.n and wanted.drops_all(self.tally.n) else wanted

    def smoothed(self, window: float) -> float:
        """The loss smoothed over `window` epochs of SMOOTHING_LADDER; NaN before any batch."""
        if self.current is None:
            return math.nan
        if window not in self._smoothed:
            self._smoothed[window] = self.current.history.smoothed_last(window)
        return self._smoothed[window]

    @property
    def spread(self) -> float:
        """σ, the spread of the batch losses over the last epoch; NaN if there is none."""
        spread = self.current.history.spread() if self.current else None
        return math.nan if spread is None else spread

    @property
    def is_spread_mixed(self) -> bool:
        """True when σ is taken over batches of earlier settings, too."""
        changes = self.current.changes if self.current else []
        return bool(changes) and changes[-1].samples > max(self.tally.samples - self.tally.n, 0)

    @property
    def scatter(self) -> NDArray[np.float64]:
        """The last epoch's batch losses around the current smoothed loss, with the slope removed.

        Only the last loss if no other is near it, as with full batch; thinned out if many.
        """
        if self.current is None:
            return np.empty(0)
        history = self.current.history
        deviations = history.deviations()
        if deviations.size < 2:
            return np.array([history.last()])
        return self.smoothed(SMOOTHING) + deviations[:: 1 + deviations.size // _MOST_SCATTERED]

    @property
    def speed(self) -> float:
        """Recent samples per second of training time; NaN before there is a rate."""
        if not self._trained:
            return math.nan
        seconds = self.tally.seconds - self._trained[0].seconds
        samples = self.tally.samples - self._trained[0].samples
        return samples / seconds if seconds > 0 else math.nan

    @property
    def batch_milliseconds(self) -> float:
        """Recent training time per batch; NaN before there is a rate."""
        if not self._trained:
            return math.nan
        batches = self.tally.batches - self._trained[0].batch + 1
        return 1000 * (self.tally.seconds - self._trained[0].seconds) / batches

    @property
    def is_diverging(self) -> bool:
        """True while the loss is finite, but far above its start."""
        first = self.tally.loss_at_start
        if first is None or self.tally.state is State.DIVERGED or self.is_cut_short:
            return False
        return self.smoothed(SMOOTHING) > DIVERGING * first

    @property
    def verdict(self) -> str:
        """The note on a loss that ended above its start; empty when there is nothing to note."""
        return verdict(math.inf if self.is_diverging else self.tally.growth)

    @property
    def has_run_away(self) -> bool:
        """True when diverged or diverging; its losses must not set the scale for the others."""
        return self.tally.state is State.DIVERGED or self.is_diverging

    @property
    def is_behind(self) -> bool:
        """True when it recently missed the pace; judged chunk by chunk, it would flicker."""
        return any(chunk.behind for chunk in list(self._trained)[-_BEHIND_CHUNKS:])

    @property
    def is_cut_short(self) -> bool:
        """True when broken or stopped; it can then only obey a restart."""
        return self.tally.state.is_cut_short

    @property
    def is_measuring(self) -> bool:
        """True when it measures regularly once pending commands take effect; else on request."""
        wanted = self.pending.measuring
        return self.tally.is_measuring if wanted is None else wanted

    @property
    def has_ended(self) -> bool:
        return self.tally.state.is_ended

    @property
    def transition(self) -> Transition | None:
        """The transition that a pending command leads to; also None while the log is blocked."""
        state, going = self.tally.state, self.pending.going
        if self.blocked:
            return None
        if self.pending.restarts:
            return Transition.REWINDING if self.pending.rewinds else Transition.RESTARTING
        if state is State.RUNNING and isinstance(going, Pause):
            return Transition.PAUSING
        if state is State.PAUSED and isinstance(going, Resume):
            return Transition.RESUMING
        return None

    @property
    def word(self) -> str:
        """The activity in a word or two."""
        state = self.tally.state
        if self.blocked:
            return self.blocked
        if transition := self.transition:
            return str(transition)
        if state is State.RUNNING and self.is_diverging:
            return "diverging"
        if state is State.FINISHED and self.verdict:
            return f"{state}, {self.verdict}"
        if state is State.RUNNING and self.is_behind:
            return "behind"
        return str(state)

    @property
    def will_go(self) -> bool:
        """True when training, or about to once pending commands take effect."""
        going = self.pending.going
        if self.blocked:
            return False
        if self.tally.state.is_active:
            return not isinstance(going, Pause)
        if self.tally.state is State.PAUSED:
            return isinstance(going, Resume)
        return self.pending.restarts
