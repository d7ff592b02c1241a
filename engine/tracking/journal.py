"""The record of a loop in the loop's own thread: batches, states, and the orders it obeys.

A fault in here is caught by the run, which then trains on without a record.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from engine.log.commands import Change, Extend, Pause, Resume, StepOnce
from engine.log.records import (
    Changed,
    End,
    Planned,
    Remarked,
    Resumed,
    Started,
    State,
    StateChanged,
)
from engine.settings import LrSchedule, VariantSettings
from engine.settings.text import clean
from engine.tracking.controls import Levers, LoopOrders, LoopSession
from engine.tracking.record.background import Background
from engine.tracking.record.chunking import ChunkBuilder, OpenChunk
from engine.tracking.record.remarks import of_change, of_extension
from engine.tracking.record.scalars import ScalarBuffer
from engine.tracking.record.silent import SilentBackground

_PAUSE_SECONDS: Final = 0.5
_PAUSE: Final = Pause | StepOnce


@dataclass(slots=True)
class Journal:
    """The record of a loop that has begun."""

    started: Started
    background: Background | SilentBackground
    session: LoopSession
    builder: ChunkBuilder
    levers: Levers
    scalars: ScalarBuffer
    epochs: int = 1
    """Planned epochs."""
    worker: int = 1
    """The number of this process among those that have trained the variant."""
    resumed: Resumed | None = None
    """The checkpoint after which the generation begins; None for one from the first weights."""
    settings: VariantSettings = field(init=False)
    """The settings in force."""
    state: State = State.STARTING
    _is_held: bool = False
    """True if it is paused, or will be at the end of this update."""
    _ahead: int = 0
    """Batches that another rank has read ahead."""
    _deferred: deque[tuple[int, Change]] = field(default_factory=deque)
    """Changes of the batch size, each with the batches that come before it."""
    remarks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings = self.started.settings
        self.builder.hand_over = self._hand_over
        self.background.put(self.started)
        if self.resumed is not None:
            self.background.put(self.resumed)
        self._become(State.RUNNING)

    @property
    def is_broken(self) -> bool:
        """True once a fault has ended the recording."""
        return self.background.is_broken

    @property
    def is_end_asked(self) -> bool:
        """True once a client has asked the loop to end."""
        return self.background.is_end_asked

    # --- Batches --------------------------------------------------------------------------------

    def note(self, name: str, value: Any) -> None:
        """Record a number by its name, for the last batch; the first one if there is none yet."""
        self.scalars.add(name, max(self.builder.at.batches, 1), value)

    def cut(self) -> None:
        """Hand the batches so far to the thread that writes them, and then their numbers."""
        self.builder.cut()
        if self.builder.at.batches:
            for work in self.scalars.take():
                self.background.put(work)

    def remark(self, text: str) -> None:
        """Record a remark on how the figures are to be read; each once."""
        if text not in self.remarks:
            self.remarks.append(text)
            self.background.put(Remarked(text=text, batches=self.builder.at.batches))

    def _hand_over(self, chunk: OpenChunk) -> None:
        self.background.put(chunk)
        for work in self.scalars.take():
            self.background.put(work)

    @property
    def must_look(self) -> bool:
        """True if `obey` has anything to do after this update."""
        return self.session.is_due or self._is_held or bool(self._deferred)

    def begin_epoch(self, epoch: int) -> None:
        """Count the next batches as those of this epoch."""
        self.cut()
        self.builder.at.epoch = epoch
        for _, change in self._deferred:
            self._apply(change, "")
        self._deferred.clear()

    def end_group(self) -> None:
        """End the group of batches that the end of an epoch has cut short."""
        if self.builder.at.in_update:
            self.cut()
            self.builder.at.updates += 1
            self.builder.at.in_update = 0

    def plan(self, epochs: int, command: int = 0) -> None:
        """Record another number of planned epochs."""
        self.epochs = epochs
        self.cut()
        self.background.put(Planned(epochs=epochs, pace=None, command=command))

    @property
    def waiting(self) -> list[tuple[int, VariantSettings]]:
        """Settings that are not in force yet, each with the number of batches before them."""
        return [(first, change.settings) for first, change in self._deferred]

    def go_on(self, waiting: Iterable[tuple[int, VariantSettings]]) -> None:
        """Train with the settings at a checkpoint, and with others after so many batches."""
        self.levers.change_update(self.settings, self.settings.resolve(self.started.n))
        for first, settings in waiting:
            self._deferred.append((first, Change(id=0, settings=settings)))
            self.session.adopt(settings)

    # --- Orders ---------------------------------------------------------------------------------

    def obey(self) -> None:
        """Obey everything ordered, between two updates; waits while the loop is paused."""
        self._look()
        while self.session.is_due or self.state is State.PAUSED:
            self._follow(self.session.take())
            if self.state is not State.PAUSED:
                return
            if self.is_broken or self.is_end_asked:
                self._go(Resume(id=0))
                return
            self.session.wait(_PAUSE_SECONDS)

    def follow(self, orders: LoopOrders, ahead: int = 0) -> None:
        """Obey these orders, which all ranks of the loop obey at this update; never waits.

        `ahead`: the most batches that a rank's loader has read ahead.
        """
        self._ahead = ahead
        self._look()
        self._follow(orders)
        if orders.is_end:
            self.release()

    def release(self) -> None:
        """Go on if it is paused, whatever was ordered."""
        self._is_held = False
        if self.state is State.PAUSED:
            self._go(Resume(id=0))

    @property
    def has_deferred(self) -> bool:
        """True while a change waits for its batch."""
        return bool(self._deferred)

    def _look(self) -> None:
        while self._deferred and self._deferred[0][0] <= self.builder.at.batches:
            self._apply(self._deferred.popleft()[1], "")
        if self._is_held and self.state is State.RUNNING:
            self._pause("one update done")

    def _follow(self, orders: LoopOrders) -> None:
        if orders.epochs is not None:
            self._extend(orders.epochs)
        for change in orders.changes:
            self._change(change)
        if orders.going is not None:
            self._go(orders.going)

    def _extend(self, command: Extend) -> None:
        for text in of_extension(self.settings, self.epochs, command.epochs):
            self.remark(text)
        self.plan(command.epochs, command.id)

    def _change(self, command: Change) -> None:
        before = self.settings.resolve(self.started.n)
        after = command.settings.resolve(self.started.n)
        wait = self.levers.delay(after)
        if after.batch_size != before.batch_size or self._deferred:
            steps = before.accumulation_steps
            size = after.batch_size
            wait = max(wait, self.levers.change_batch_size(size, steps, self._ahead))
        if not wait:
            self._deferred.clear()
            self._apply(command, "")
            return
        first = self.builder.at.batches + wait
        while self._deferred and self._deferred[-1][0] >= first:
            self._deferred.pop()
        self._deferred.append((first, command))

    def adopt(self, settings: VariantSettings, note: str) -> None:
        """Record settings that the loop has changed by itself, between two updates."""
        self.session.adopt(settings)
        self._apply(Change(id=0, settings=settings), note)

    def _apply(self, command: Change, note: str) -> None:
        """Bring settings into force at the next batch, which begins an update."""
        self.cut()
        for text in of_change(self.settings, command.settings, self.started.n):
            self.remark(text)
        scale = command.settings.lr / self.started.settings.lr
        if command.settings.lr != self.settings.lr and command.settings.schedule is LrSchedule.OWN:
            note = note or f"the lr is {scale:g} times that of the script's schedule"
        self.settings = command.settings
        resolved = self.settings.resolve(self.started.n)
        self.levers.change_update(self.settings, resolved)
        self.builder.batch_size = resolved.batch_size
        self.builder.steps = resolved.accumulation_steps
        at = self.builder.at
        self.background.put(
            Changed(
                generation=self.started.generation,
                settings=self.settings,
                epoch=at.epoch,
                batch=at.batches + 1,
                update=at.updates + 1,
                samples=at.samples,
                seconds=at.seconds,
                note=note,
                command=command.id,
            )
        )

    def _go(self, command: Pause | Resume | StepOnce) -> None:
        self._is_held = isinstance(command, _PAUSE)
        if isinstance(command, Pause):
            if self.state is State.RUNNING:
                self._pause("", command.id)
        elif self.state in (State.PAUSED, State.RUNNING):
            self._become(State.RUNNING, command=command.id)
            self.builder.resume_clock()

    def _pause(self, detail: str, command: int = 0) -> None:
        self.cut()
        self._become(State.PAUSED, detail, command=command)

    # --- States ---------------------------------------------------------------------------------

    def run_again(self) -> None:
        """Record that a loop that had finished trains more epochs."""
        if self.state.is_ended:
            self._become(State.RUNNING)
            self.builder.resume_clock()

    def finish(self, state: State = State.FINISHED, detail: str = "") -> None:
        """Record that all planned epochs are done, or why the training has ended before."""
        self.cut()
        self._become(state, detail)

    def end(self, error: BaseException | None, traceback: str) -> None:
        """Record how the script has ended, and close the files."""
        self.cut()
        if not self.state.is_ended:
            if error is None or isinstance(error, KeyboardInterrupt | SystemExit):
                self._become(State.STOPPED)
            else:
                detail = clean(f"{type(error).__name__}: {error}")
                self._become(State.FAILED, detail, traceback=traceback)
        self.background.put(End())
        self.background.close()

    def _become(
        self, state: State, detail: str = "", *, command: int = 0, traceback: str = ""
    ) -> None:
        self.state = state
        self.background.put(
            StateChanged(
                generation=self.started.generation,
                state=state,
                detail=detail,
                traceback=traceback,
                command=command,
                worker=self.worker,
                heard=command,
            )
        )
