"""Reads the losses of a program from the bytes of its console."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from engine.programs.questions import Questions, rejoined
from engine.programs.readings import Choice, Event, HeldOut, Reading, Remark
from engine.programs.steps.bar_steps import BarSteps
from engine.programs.steps.held_out import HeldOutLosses
from engine.programs.steps.places import Place, StepPlaces
from engine.programs.steps.redraws import Redraws
from engine.programs.steps.scalars import ScalarNames
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

    def __init__(
        self, pattern: re.Pattern[str] | None = None, on_change: Choice | None = None
    ) -> None:
        """`pattern`: read only what it matches; else all forms that are known.

        `on_change`: the answer to every question about what changed its meaning; None asks.
        """
        self._pattern = pattern
        self._questions = Questions(on_change)
        self._streams: dict[int, Segments] = {}
        self._choice = SourceChoice()
        self._places = StepPlaces(restarts=on_change is not Choice.SAME)
        self._generation = 1
        """The highest number of a training so far."""
        self._scale = 1.0
        """The factor of losses, which are read in the unit in which they were printed first."""
        self._redraws = Redraws()
        self._bar = BarSteps()
        self._waiting: Printed | None = None
        """A line without a step, whose step is that of the bar's next redraw."""
        self._doubtful: Printed | None = None
        """An evaluation whose training loss is read only if no other loss is printed."""
        self._epoch: Printed | None = None
        """The epoch printed in a line of its own, or by an outer bar."""
        self._held_out = HeldOutLosses()
        self._scalars = ScalarNames()
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
        yield from self._questions.close("the program has ended")

    def answer(self, number: int, choice: str) -> Iterator[Event]:
        """The events that follow from the user's answer to a question, 0 for the open one.

        Raises AnswerError, before the first event.
        """
        question, taken, answered = self._questions.take(number, choice)
        yield answered
        if taken is Choice.ANOTHER:
            return
        yield from self._resolve()
        self._generation += 1
        now, before = self._choice.chosen, question.before
        self._places = question.places.rejoined(self._generation, has_restarted=before is None)
        if taken is Choice.IGNORE and before is not None:
            self._choice.refuse(before)
            question.events.clear()
        elif before is not None and now is not None:
            self._scale *= now.scale_to(before)
        yield rejoined(question, self._places, self._generation, self._reading)
        if (last := self._places.last) is not None:
            self._generation = max(self._generation, last.generation)

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
        if not self._choice.take(source, printed):
            self._doubtful = printed if before is None else None
            if before is not None and source.place == before.place and source.is_of_epoch:
                self._places.end_epoch()
            yield from self._evaluate(printed)
            return
        if before is None:
            yield from self._record_doubtful(source)
        if before is not None and self._choice.chosen != before:
            yield from self._change(before, source, printed)
            if self._choice.chosen != source:
                return
        yield from self._read_loss(printed, loss)

    def _read_loss(
        self, printed: Printed, loss: float, *, is_late: bool = False
    ) -> Iterator[Event]:
        """Take in numbers with the loss that is read.

        `is_late`: they have waited for the choice of a source, and were evaluated before.
        """
        if printed.form in _REDRAWN and printed.step is not None:
            for bar in self._redraws.add(printed, loss):
                yield from self._record(bar)
        elif printed.step is None and self._bar.is_drawn and not is_late:
            yield from self._resolve()
            self._waiting = printed
            return
        else:
            yield from self._record(printed)
        if not is_late:
            yield from self._evaluate(printed)

    def _record_doubtful(self, source: Source) -> Iterator[Event]:
        """Record the first evaluation, if there turned out to be no other source."""
        first, self._doubtful = self._doubtful, None
        if first is not None and first.form is source.form and source.name in first.values:
            yield from self._record(first)

    def _change(self, before: Source, now: Source, first: Printed) -> Iterator[Event]:
        """The loss is read elsewhere from here on: `first`, after those that have been waiting."""
        yield from self._resolve()
        earlier, waiting = self._places, self._choice.take_waiting()
        text = (
            f"the loss is now read from {now.differing_from(before)}, "
            f"before from {before.differing_from(now)}"
        )
        preset = self._questions.preset if self._readings else None
        if preset is Choice.IGNORE:
            self._choice.refuse(before)
            yield self._questions.said(text)
            return
        self._redraws = Redraws()
        if preset is Choice.SAME:
            self._scale *= now.scale_to(before)
            self._places.align([*waiting, first][0])
            yield self._questions.said(text)
        else:
            self._generation += earlier.last is not None
            self._places = StepPlaces(self._generation)
            if self._readings and earlier.last is not None:
                yield from self._questions.ask(text, earlier.last, earlier, before)
            self._readings = 0
        for printed in waiting:
            yield from self._read_loss(printed, printed.values[now.name], is_late=True)

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
        if self._bar.add(printed):
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
            local, total = self._bar.next()
            printed = replace(printed, step=local, total=total)
        elif printed.form not in _REDRAWN and self._places.is_last(printed, local):
            return
        before = self._places.last
        place = self._places.add(printed)
        if before is not None and place.generation != before.generation:
            yield from self._restart(before, local)
        elif self._places.joins == 1 and self._questions.preset is not None:
            self._places.joins += 1
            assert before is not None
            yield self._questions.said(_went_back(before, local))
        yield from self._questions.keep(printed)
        self._readings += 1
        reading = self._reading(printed, place)
        yield from map(Remark, self._scalars.take_remarks())
        yield reading
        yield from self._describe(reading, printed, found[0].name)

    def _restart(self, before: Place, local: int | None) -> Iterator[Event]:
        """The printed step went back: training has begun again."""
        self._generation += 1
        earlier = self._places.before_restart
        assert earlier is not None
        yield from self._questions.ask(_went_back(before, local), before, earlier)

    def _reading(self, printed: Printed, place: Place) -> Reading:
        """The loss and the other numbers at a place."""
        found = self._choice.loss_of(printed)
        assert found is not None
        lr, scalars = self._scalars.beside(printed, found[0].name)
        loss = found[1] * self._scale
        return Reading(place, loss, lr, scalars, printed.step is not None, printed.form)

    def _describe(self, reading: Reading, printed: Printed, name: str) -> Iterator[Event]:
        """Say how the output is read, once the interval between readings is known."""
        if self._readings == 1:
            rates = [each for each in printed.values if meaning(each) is Meaning.RATE]
            self._names = list(dict.fromkeys([name, *rates, *reading.scalars]))
            self._first_step = reading.place.step
        elif self._readings == 2:
            interval = reading.place.step - self._first_step
            yield Remark(self._description(interval, has_step=reading.has_step))

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
        """A loss on held-out data."""
        if (found := self._held_out.take(printed)) is not None:
            event = HeldOut(self._places.last, *found)
            yield from self._questions.keep(event)
            yield event


def _went_back(before: Place, local: int | None) -> str:
    return f"the printed step went back to {local} after step {before.step:,}"
