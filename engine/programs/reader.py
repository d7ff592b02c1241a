"""Reads the losses of a program from the bytes of its console."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from engine.programs.readings import Event, HeldOut, Reading, Remark
from engine.programs.steps.places import StepPlaces
from engine.programs.steps.redraws import Redraws
from engine.programs.steps.source import Source, SourceChoice
from engine.programs.text.bars import parse_bars
from engine.programs.text.names import Meaning, is_held_out, meaning
from engine.programs.text.pairs import parse_line
from engine.programs.text.pattern import parse_pattern
from engine.programs.text.printed import Form, Printed
from engine.programs.text.segments import Segments

_MOST_NAMED: Final = 6
_REDRAWN: Final = (Form.TQDM, Form.LIGHTNING)


class Reader:
    """The readings in a console's bytes, of one stream or of stdout and stderr."""

    def __init__(self, pattern: re.Pattern[str] | None = None) -> None:
        """`pattern`: read only what it matches; else all forms that are known."""
        self._pattern = pattern
        self._streams: dict[int, Segments] = {}
        self._choice = SourceChoice()
        self._places = StepPlaces()
        self._redraws = Redraws()
        self._bar: Printed | None = None
        """The last bar without a loss, which tells the step of lines that do not."""
        self._steps_bar: tuple[str, int | None] | None = None
        """The bar that told the step of the last such line, by its label and total."""
        self._told_step = -1
        self._waiting: Printed | None = None
        """A line without a step, whose step is that of the bar's next redraw."""
        self._doubtful: Printed | None = None
        """An evaluation whose training loss is read only if no other loss is printed."""
        self._epoch: Printed | None = None
        """The epoch printed in a line of its own, or by an outer bar."""
        self._held_out: dict[str, float] = {}
        self._readings = 0
        self._first_step = 0
        self._names: list[str] = []

    def feed(self, data: bytes, stream: int = 1) -> Iterator[Event]:
        """The events that these bytes complete. The bytes may end anywhere."""
        for text in self._streams.setdefault(stream, Segments()).feed(data):
            yield from self._read(text)

    def finish(self) -> Iterator[Event]:
        """The events that were still open when the program ended."""
        for stream in self._streams.values():
            for text in stream.finish():
                yield from self._read(text)
        yield from self._resolve()
        for bar in self._redraws.finish():
            yield from self._record(bar)
        if self._readings == 1:
            yield Remark(self._description(0, has_step=True))

    def _read(self, text: str) -> Iterator[Event]:
        if self._pattern is not None:
            if (printed := parse_pattern(self._pattern, text)) is not None:
                yield from self._take(printed)
            return
        is_bar = False
        for bar in parse_bars(text):
            is_bar = True
            yield from self._take(bar)
        if not is_bar and (line := parse_line(text)) is not None:
            yield from self._take(line)

    def _take(self, printed: Printed) -> Iterator[Event]:
        """Take in numbers that were printed together."""
        if printed.is_bar and is_held_out(printed.label):
            return
        if (found := self._choice.loss_of(printed)) is None:
            yield from self._note_place(printed)
            yield from self._evaluate(printed)
            return
        source, loss = found
        before = self._choice.chosen
        if not self._choice.take(source, printed.values):
            self._doubtful = printed if before is None else None
            yield from self._evaluate(printed)
            return
        if before is None:
            yield from self._record_doubtful(source)
        if before is not None and self._choice.chosen != before:
            yield from self._change(before, source)
        if printed.form in _REDRAWN and printed.step is not None:
            for bar in self._redraws.add(printed, loss):
                yield from self._record(bar)
        elif printed.step is None and self._bar is not None:
            yield from self._resolve()
            self._waiting = printed
            return
        else:
            yield from self._record(printed)
        yield from self._evaluate(printed)

    def _record_doubtful(self, source: Source) -> Iterator[Event]:
        """Record the first evaluation, if there turned out to be no other source."""
        first, self._doubtful = self._doubtful, None
        if first is not None and first.form is source.form and source.name in first.values:
            yield from self._record(first)

    def _change(self, before: Source, now: Source) -> Iterator[Event]:
        """The loss is read elsewhere from here on."""
        yield from self._resolve()
        last = self._places.last
        self._places = StepPlaces(last.generation + 1 if last is not None else 1)
        self._redraws = Redraws()
        if self._readings:
            yield Remark(
                f"the loss is now read from {now.name} ({now.form}), before from {before.name} "
                f"({before.form}): counted as another training"
            )
        self._readings = 0

    def _note_place(self, printed: Printed) -> Iterator[Event]:
        """Note the step and epoch of numbers without a loss."""
        if not printed.is_bar:
            if printed.epoch is not None and not printed.values:
                self._epoch = printed
            return
        chosen = self._choice.chosen
        if chosen is not None and (printed.form, printed.label) == (chosen.form, chosen.label):
            for bar in self._redraws.add_without_loss(printed):
                yield from self._record(bar)
            return
        if meaning(printed.label.rstrip(":").strip()) is Meaning.EPOCH and printed.epoch is None:
            if printed.step is not None:
                self._epoch = replace(printed, epoch=printed.step + 1, epochs=printed.total)
            return
        if self._steps_bar in (None, (printed.label, printed.total)):
            self._bar = printed
            yield from self._resolve()

    def _resolve(self) -> Iterator[Event]:
        """Record the line that has been waiting for a bar to tell its step."""
        if (line := self._waiting) is not None:
            self._waiting = None
            yield from self._record(line)
            yield from self._evaluate(line)

    def _record(self, printed: Printed) -> Iterator[Event]:
        """Record a loss whose step is known, or is not printed at all."""
        found = self._choice.loss_of(printed)
        if found is None:
            return
        if printed.epoch is None and self._epoch is not None:
            printed = replace(printed, epoch=self._epoch.epoch, epochs=self._epoch.epochs)
        local, total = printed.step, printed.total
        if local is None:
            local, total = self._step_of_bar()
            printed = replace(printed, step=local, total=total)
        elif printed.form not in _REDRAWN and self._places.is_last(printed, local):
            return
        before = self._places.last
        place = self._places.add(printed)
        if before is not None and place.generation != before.generation:
            yield Remark(
                f"the printed step went back to {local}: training has begun again after step "
                f"{before.step:,}"
            )
        self._readings += 1
        name, loss = found[0].name, found[1]
        lr, scalars = _others(printed, name)
        yield Reading(place, loss, lr, scalars, local is not None, printed.form)
        if self._readings == 1:
            rates = [each for each in printed.values if meaning(each) is Meaning.RATE]
            self._names = list(dict.fromkeys([name, *rates, *scalars]))
            self._first_step = place.step
        elif self._readings == 2:
            interval = place.step - self._first_step
            yield Remark(self._description(interval, has_step=local is not None))

    def _step_of_bar(self) -> tuple[int | None, int | None]:
        """The step and total of the bar without a loss, if it has moved since the last loss."""
        bar = self._bar
        if bar is None or bar.step is None:
            return None, None
        key = bar.label, bar.total
        if key != self._steps_bar and bar.step == bar.total:
            return None, None  # it had ended before the first loss
        if key == self._steps_bar and bar.step == self._told_step:
            self._steps_bar = None
            return None, None
        self._steps_bar, self._told_step = key, bar.step
        return bar.step, bar.total

    def _description(self, interval: int, *, has_step: bool) -> str:
        chosen = self._choice.chosen
        assert chosen is not None
        more = len(self._names) - _MOST_NAMED
        names = ", ".join(self._names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
        steps = f"steps of {interval:,}" if interval else ""
        if not has_step:
            steps = "no steps printed, so readings are counted"
        return " · ".join(filter(None, (f"read as: {chosen.form}", names, steps)))

    def _evaluate(self, printed: Printed) -> Iterator[Event]:
        """A loss on held-out data; bars go on to show it with every redraw."""
        held = {
            name: value
            for name, value in printed.values.items()
            if meaning(name) is Meaning.HELD_OUT_LOSS or is_held_out(name)
        }
        losses = [value for name, value in held.items() if meaning(name) is Meaning.HELD_OUT_LOSS]
        if not losses or held == self._held_out:
            return
        self._held_out = held
        metrics = {
            name: value
            for name, value in held.items()
            if meaning(name) is not Meaning.HELD_OUT_LOSS
        }
        yield HeldOut(self._places.last, losses[0], metrics)


def _others(printed: Printed, loss: str) -> tuple[float | None, dict[str, float]]:
    """The learning rate, and the scalars beside the loss."""
    lr = None
    scalars = {}
    for name, value in printed.values.items():
        if lr is None and meaning(name) is Meaning.RATE:
            lr = value
        elif name != loss:
            scalars[name] = value
    return lr, scalars
