"""An app on a run that a test writes: a writer for each log, controls that record what was told."""

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from msgspec.structs import replace
from shown import ObservedApp, text_of
from textual.pilot import Pilot

from engine.log.commands import (
    AnyCommand,
    Change,
    Extend,
    Measure,
    Pause,
    Restart,
    Resume,
    Rewind,
    SetMeasuring,
    SetPace,
    StepOnce,
)
from engine.log.directory import RunDirectory
from engine.log.notices import Notice
from engine.log.records import (
    Changed,
    Chunk,
    CommandSent,
    Evaluation,
    Point,
    Record,
    Started,
    State,
    StateChanged,
    VariantAdded,
    VariantRemoved,
)
from engine.log.writing.added import add_variant
from engine.log.writing.writer import LogWriter
from engine.session.variants.roster import free_name
from engine.settings import RunSettings, Variant, VariantSettings, default_names, parse_batch_size
from gdtui.app import GdtuiApp
from gdtui.control.lab import Holder, Lab

N: Final = 2000
WIDE: Final = (160, 45)
NARROW: Final = (80, 24)
_LONGEST_NOTE: Final = 30.0
"""Seconds after which any note in the corner has gone, also on a slow machine."""


_OPEN: Final[list[LogWriter]] = []


def close_logs() -> None:
    """Close the logs of every bench so far: a process that runs many tests has a limit of files.

    Not left to the garbage collector: closing waits for a thread, which may need a lock that the
    code interrupted by the collector holds.
    """
    while _OPEN:
        _OPEN.pop().close()


class FakeControls:
    """Records commands, and notes them in the session's log as a session does; nobody obeys."""

    def __init__(self, run: RunDirectory) -> None:
        self.run = run
        self.names = [variant.name for variant in run.info.settings.variants]
        self.told: list[tuple[str, AnyCommand]] = []
        self.sent: list[CommandSent] = []
        self.notices: list[Notice] = []
        self.added: list[Point | None] = []
        """The points at which the variants begin that were added."""
        self.log = LogWriter(run.session_log)
        self._id = 0

    def _send(self, name: str, kind: type[AnyCommand], **fields: object) -> None:
        self._id += 1
        command = kind(id=self._id, **fields)  # type: ignore[arg-type]
        self.told.append((name, command))
        self.sent.append(CommandSent(variant=name, wall_time=100.0, command=command))
        self.log.append(self.sent[-1])

    def change(self, settings: Mapping[str, VariantSettings]) -> None:
        for name, value in settings.items():
            self._send(name, Change, settings=value)

    def restart(self, settings: Mapping[str, VariantSettings]) -> None:
        for name, value in settings.items():
            self._send(name, Restart, settings=value)

    def rewind(self, settings: Mapping[str, VariantSettings], points: Mapping[str, Point]) -> None:
        for name, value in settings.items():
            at = points[name]
            self._send(name, Rewind, settings=value, generation=at.generation, batches=at.batches)

    def fork(self, settings: VariantSettings, point: Point, name: str = "") -> str:
        return self._add(settings, name or point.variant, point)

    def add(self, settings: VariantSettings, name: str = "") -> str:
        return self._add(settings, name or self.names[0], None)

    def _add(self, settings: VariantSettings, name: str, origin: Point | None) -> str:
        """Note the new variant as a session does."""
        variant = Variant(name=free_name(self.names, name), settings=settings)
        add_variant(self.run, variant)
        self.log.append(VariantAdded(variant=variant.name, settings=settings, origin=origin))
        self.names.append(variant.name)
        self.added.append(origin)
        return variant.name

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            self.log.append(VariantRemoved(variant=name))

    def pause(self) -> None:
        for name in self.names:
            self._send(name, Pause)

    def resume(self) -> None:
        for name in self.names:
            self._send(name, Resume)

    is_shared, hold, release = False, pause, resume

    def step_once(self, names: Iterable[str]) -> None:
        for name in names:
            self._send(name, StepOnce)

    def set_pace(self, pace: float | None) -> None:
        for name in self.names:
            self._send(name, SetPace, pace=pace)

    def extend(self, epochs: int) -> None:
        for name in self.names:
            self._send(name, Extend, epochs=epochs)

    def measure(self, names: Iterable[str]) -> None:
        for name in names:
            self._send(name, Measure)

    def set_measuring(self, is_on: bool) -> None:
        for name in self.names:
            self._send(name, SetMeasuring, is_on=is_on)

    def take_sent(self) -> list[CommandSent]:
        sent, self.sent = self.sent, []
        return sent

    @property
    def asked(self) -> dict[str, list[AnyCommand]]:
        return {}

    def poll(self) -> list[Notice]:
        notices, self.notices = self.notices, []
        return notices

    def last(self, kind: type[AnyCommand]) -> dict[str, AnyCommand]:
        """The last command of a kind, by variant."""
        return {name: command for name, command in self.told if isinstance(command, kind)}


class Bench:
    """A run, its writers, its controls."""

    def __init__(
        self, path: Path, sizes: str = "full,64,1", steps: int = 1, drop_last: bool = False
    ) -> None:
        batch_sizes = tuple(parse_batch_size(size) for size in sizes.split(","))
        variants = tuple(
            Variant(
                name=name,
                settings=VariantSettings(
                    batch_size=size, accumulation_steps=steps, drop_last=drop_last
                ),
            )
            for name, size in zip(default_names(batch_sizes), batch_sizes, strict=True)
        )
        self.run = RunDirectory.create(path, RunSettings(variants=variants, pace=1.0), "0")
        self.controls = FakeControls(self.run)
        self.names = self.controls.names
        self.logs = {name: LogWriter(self.run.variant_log(name)) for name in self.names}
        self._settings = {variant.name: variant.settings for variant in variants}
        _OPEN.extend((self.controls.log, *self.logs.values()))

    def app(
        self, *, watching: bool = False, make_lab: Callable[[Holder], Lab] | None = None
    ) -> ObservedApp:
        """`make_lab` None: one whose work runs in processes."""
        # Slow, for the tests tick themselves: Textual's pause() waits until the process has nothing
        # to do.
        controls = None if watching else self.controls
        return ObservedApp(self.run, controls, fps=4, make_lab=make_lab)

    def write(self, name: str, *records: Record) -> None:
        for record in records:
            self.logs[name].append(record)

    def set(self, name: str, **different: object) -> None:
        """Begin with other settings than those of the run's start."""
        self._settings[name] = replace(self._settings[name], **different)

    def begin(
        self,
        generation: int = 1,
        *,
        command: int = 0,
        names: Iterable[str] = (),
        epochs: int = 20,
    ) -> None:
        """All variants, or these, have started and measured their full loss."""
        for name in names or self.names:
            self.write(
                name,
                Started(
                    generation=generation, settings=self._settings[name], n=N, model="Linear(10,1)",
                    parameters=11, device="cpu", threads=1, epochs=epochs, pace=1.0,
                    command=command,
                ),
                evaluation(0, generation=generation),
                state(State.RUNNING, 10.0),
            )  # fmt: skip

    def train(
        self,
        name: str,
        losses: Iterable[float],
        *,
        batch: int = 1,
        epoch: int = 1,
        generation: int = 1,
        steps: int = 1,
    ) -> None:
        """Batches of 10 samples, `steps` of them an update."""
        values = np.array(list(losses), "<f4")
        self.write(
            name,
            Chunk(
                generation=generation, epoch=epoch, batch=batch, update=(batch - 1) // steps + 1,
                in_update=0, samples=(batch - 1) * 10, seconds=(batch - 1) * 0.01,
                duration=len(values) * 0.01, batch_size=10, last_batch_size=10,
                accumulation_steps=steps, lr=0.01, losses=values.tobytes(),
            ),
        )  # fmt: skip

    def finish(self) -> None:
        """All have trained one epoch, and ended."""
        for place, name in enumerate(self.names):
            self.train(name, np.linspace(0.8, 0.3 + place / 10, 200))
            self.write(name, evaluation(1, loss=0.3 + place / 10), state(State.FINISHED, 20.0))


def evaluation(
    epoch: int,
    *,
    generation: int = 1,
    loss: float = 0.8,
    validation: float | None = None,
    metrics: Mapping[str, float] | None = None,
) -> Evaluation:
    """The end of an epoch of 200 batches; with held-out data if there is a `validation` loss."""
    return Evaluation(
        generation=generation, epoch=epoch, batches=epoch * 200, updates=epoch * 200,
        samples=epoch * N, seconds=2.0 * epoch, full_loss=loss, validation_loss=validation,
        metrics=dict(metrics or {}),
    )  # fmt: skip


def state(value: State, wall_time: float, detail: str = "", command: int = 0) -> StateChanged:
    return StateChanged(
        generation=1, state=value, wall_time=wall_time, detail=detail, command=command
    )


def changed(settings: VariantSettings, command: int, *, batch: int = 51, note: str = "") -> Changed:
    return Changed(
        generation=1, settings=settings, epoch=1, batch=batch, update=batch,
        samples=(batch - 1) * 10, seconds=(batch - 1) * 0.01, note=note, command=command,
    )  # fmt: skip


async def settle(pilot: Pilot[None]) -> None:
    """Until what was written is on screen."""
    pilot.app.main.tick(figures=True)  # type: ignore[attr-defined]
    await pilot.pause()
    await pilot.pause()


async def see(pilot: Pilot[None], wanted: str) -> None:
    """Wait until the text is on screen: a note takes a few turns to come up, and covers others."""
    deadline = time.monotonic() + _LONGEST_NOTE
    while wanted not in text_of(pilot.app) and time.monotonic() < deadline:
        await pilot.pause(0.02)
    assert wanted in text_of(pilot.app)


def row(app: GdtuiApp, part: str) -> str:
    """The first row of the screen with this in it."""
    return next(line for line in text_of(app).splitlines() if part in line)


def overlay(app: GdtuiApp) -> str:
    """The chart of all, as text."""
    region = app.query_one("#overlay").region
    return "\n".join(text_of(app).splitlines()[region.y : region.bottom])
