"""One viewer of a run, or of several: the store of the records, and the chosen view.

Reads in portions; draws nothing, sends nothing. Knows no widget, no key and no process.
"""

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal

from engine.log.notices import Notice, NoticeKind
from engine.log.reading.loss_block import LossBlock
from engine.log.records import Changed, Chunk, CommandSent, Refused, Remarked
from gdtui.history import BatchInfo
from gdtui.state.overlay.shown_runs import ShownRuns
from gdtui.state.record_source import RecordSource, ViewerRole
from gdtui.state.store import Store
from gdtui.state.variant import VariantState
from gdtui.view.data_extent import data_extent
from gdtui.view.text.caveats.imported import without
from gdtui.view.view_state import ViewState
from gdtui.view.x_range import XRange, visible_range

if TYPE_CHECKING:
    from gdtui.state.preview.preview import Preview

_READ_SECONDS: Final = 0.03
"""Maximum duration of one read in seconds; the rest comes with the next read."""
_PAINT_SECONDS: Final = 0.05
"""Seconds without reading in which curves from a sample are painted."""
LONG: Final = 6 << 20
"""Bytes in all logs from which on there is a preview: reading them takes 0.2 s or more."""
READ_BYTES: Final = 1 << 18
"""Bytes of one log before the next one gets its turn: some 60,000 losses, or 1,000 records."""
_FLOOD: Final = 4_096
"""Batches for one frame that are a flood: charts change by far more than the eye can follow."""
_STEADY: Final = 128
"""Batches in one read that are enough for two frames: nobody sees a single one of them…"""
_QUICK_FRAME: Final = 0.1
"""…of at most so many seconds."""
_GOOD: Final = (NoticeKind.LOG_UNBLOCKED, NoticeKind.BEGUN_AGAIN, NoticeKind.REMARK)
_COMMANDED: Final = (CommandSent, Changed, Refused)
"""Records whose commands, if any, are shown with the next frame."""
_NAMING_FILES: Final = (NoticeKind.SERVER_DIED, NoticeKind.HOST_GONE, NoticeKind.LOG_GONE)
"""Notices whose text already names what they concern."""
Severity = Literal["information", "error"]


class Viewer:
    """The runs as one viewer knows them, and the part of them in view."""

    def __init__(self, shown: ShownRuns, source: RecordSource, view: ViewState) -> None:
        self.shown = shown
        self.source = source
        self.store = Store(shown.settings, shown.variants)
        self.view = view
        self.is_catching_up = True
        """True until all that was written before the first read, or since, has been read once."""
        self._has_begun, self._reads_on_at = False, 0.0
        self._reads = self._batches_read = self._skipped = 0
        """Reads since the last frame was asked about, batches in the last read, and frames since.
        """
        self._read_frames = 1
        """Frames whose losses the last read has brought."""
        self._preview: Preview | None = None
        self._has_news, self._is_host_gone = False, False
        self._question: tuple[str, Remarked] | None = None
        self.cursor: float | None = None
        """The crosshair's position on the x axis; None if there is no crosshair."""
        self.versions: dict[str, int] = dict.fromkeys(self.store.variants, 0)
        """Number of records read, by variant; a chart drawn at the same number is up to date."""

    # --- Records --------------------------------------------------------------------------------

    def read(self) -> None:
        """Take new records from the source into the store, bounded by count and time.

        Before that, take a sample of a long past, so that the charts show its curves at once.
        """
        before, until = self.store.states, time.monotonic() + _READ_SECONDS
        self._reads, self._batches_read = self._reads + 1, 0
        self._read_frames, self._skipped = self._skipped + 1, 0
        if self.is_catching_up and (self._takes_sample(until) or until < self._reads_on_at):
            return
        self._take_records(until)
        if self.store.states is not before:
            self._keep_selection(before)

    def _takes_sample(self, until: float) -> bool:
        """Go on with the preview; True if there is no time left to read logs, or curves to show."""
        if not self._has_begun:
            self._has_begun = True
            if isinstance(self.source.role, ViewerRole) and self.shown.log_bytes >= LONG:
                from gdtui.state.preview.preview import Preview

                self._preview = Preview(self.shown)
        if (preview := self._preview) is None:
            return False
        before = preview.store
        while preview.take_on():
            if time.monotonic() > until:
                return before is None
        if preview.store is before:
            return False
        self._has_news, self._reads_on_at = True, until + _PAINT_SECONDS
        return True

    def _take_records(self, until: float) -> None:
        while True:
            for name, part in self.source.portions(READ_BYTES):
                self.store.add(name, part)
                count = 1
                if isinstance(part, LossBlock):
                    count = len(part)
                    self._batches_read += len(part.losses)
                elif isinstance(part, Chunk):
                    self._batches_read += part.batches
                self.versions[name] = self.versions.get(name, 0) + count
                if isinstance(part, Remarked) and part.question:
                    self._question = (name, part) if part.choices else None
                self._has_news |= isinstance(part, _COMMANDED) and bool(part.command)
            if not self.source.has_more:
                self.is_catching_up, self._preview = False, None
                self.store.settle()
                return
            if time.monotonic() > until:  # a flood of records would freeze the keys
                return

    def can_skip_read(self, frame_seconds: float, most: int = 1) -> bool:
        """True if the coming frame needs no read: the last one has brought many losses.

        Each chart is drawn in every second frame, at most, and half of the reads take much less
        time. At most `most` times in a row; not after a key, nor while an answer is awaited.
        """
        reads, self._reads = self._reads, 0
        is_steady = frame_seconds <= _QUICK_FRAME and self._batches_read >= _STEADY and reads <= 1
        is_waiting = any(one.pending.waiting for one in self.store.states)
        if is_steady and self._skipped < most and not (is_waiting or self.source.has_more):
            self._skipped += 1
            return True
        return False

    @property
    def is_flooded(self) -> bool:
        """True if the last read has brought a flood of losses."""
        return self._batches_read >= _FLOOD * self._read_frames

    @property
    def charted(self) -> Store:
        """The store that charts are drawn from: of a sample until a long past has been read."""
        sample = None if self._preview is None else self._preview.store
        if sample is None or _names(sample) != _names(self.store):
            return self.store
        return sample

    @property
    def share_read(self) -> float | None:
        """The share of a long past that has been read; None once all of it has."""
        if self._preview is None or self.charted is self.store:
            return None
        return min(self.source.bytes_read / self._preview.bytes, 1.0)

    def _keep_selection(self, before: list[VariantState]) -> None:
        """Keep the variant selected whose number has changed; all if it was removed."""
        if self.view.selected is not None:
            one = before[self.view.selected]
            is_there = any(one is each for each in self.store.states)
            self.change(selected=one.index if is_there else None)

    @property
    def question(self) -> tuple[str, Remarked] | None:
        """The open question about what a program prints, with the name of its variant."""
        return None if self.store.has_ended else self._question

    def take_news(self) -> bool:
        """True once after what is shown without waiting.

        That is a record of a command, which may be another viewer's, or of its effect; and the
        curves from a sample.
        """
        has_news, self._has_news = self._has_news, False
        return has_news

    def heed(self, notices: Iterable[Notice]) -> dict[str, Severity]:
        """Take notices into the store, for the panels that they concern; returns their texts."""
        texts: dict[str, Severity] = {}
        for notice in notices:
            self.store.heed(notice, self.source.now())
            self._is_host_gone |= notice.kind is NoticeKind.HOST_GONE
            about = "" if notice.kind in _NAMING_FILES else notice.variant or ""
            text = f"{about}: {notice.text}" if about else notice.text
            texts.setdefault(text, "information" if notice.kind in _GOOD else "error")
        return texts

    @property
    def obeyed(self) -> frozenset[str] | None:
        """Ids of the commands that have an effect; None means all."""
        return frozenset() if self._is_host_gone else self.source.obeyed

    @property
    def is_trainer(self) -> bool:
        """True if the run is trained here, so that all commands have an effect."""
        return self.obeyed is None

    # --- The view -------------------------------------------------------------------------------

    def change(self, **options: Any) -> None:
        """Set these fields of the view."""
        self.view = replace(self.view, **options)

    def toggle_ghosts(self) -> bool:
        """Hide the existing ghosts or, if none is shown, show all.

        Returns False if there are none.
        """
        ghosts = [one for one in self.store.states if one.ghost is not None]
        is_any_shown = any(self.view.shows_ghost(one) for one in ghosts)
        self.change(cleared=self.store.generations if is_any_shown else ())
        return bool(ghosts)

    @property
    def chosen(self) -> list[VariantState]:
        """The variants that keys act on."""
        states = self.store.states
        return states if self.view.selected is None else [states[self.view.selected]]

    @property
    def alone(self) -> VariantState | None:
        """The variant whose chart fills the screen."""
        selected = self.view.selected if self.view.focus else None
        return None if selected is None else self.store.states[selected]

    @property
    def seen(self) -> XRange:
        """The x range that all charts show."""
        return visible_range(self.view.window, data_extent(self.charted, self.view))

    def under_cursor(self, one: VariantState) -> BatchInfo | None:
        """The batch of a variant that is drawn nearest to the crosshair; None if there is none."""
        if self.cursor is None or one.current is None:
            return None
        history = one.current.history
        index = history.find(self.view.axis, self.cursor)
        return None if index is None else without(history.at(index, self.view.smoothing), one)


def _names(store: Store) -> list[str]:
    """The names of the variants on screen."""
    return [one.tally.name for one in store.states]
