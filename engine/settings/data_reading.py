"""The record of what a file of data was read as: target, features, and what was left out."""

from typing import Annotated, Final

import msgspec

from engine.settings.ranges import Count

MOST_NAMED: Final = 50
"""Columns, classes or remarks that are kept by name."""
_MOST_SAID: Final = 8
"""Of these, in a sentence."""


class ClassCount(msgspec.Struct, frozen=True, kw_only=True):
    """A class of the target, and the samples that it has."""

    name: str
    samples: Count


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A column that is no input, and the reason."""

    column: str
    reason: str


class DataReading(msgspec.Struct, frozen=True, kw_only=True):
    """The reading of a data file, the same for all variants of a run."""

    file: str
    form: str = ""
    """Encoding and separator, where they are not the usual ones."""
    target: str
    kind: str
    """number, two classes or classes."""
    loss: str
    unit: str = ""
    """The unit that was written after the target's numbers."""
    class_count: Count = 0
    """Different classes; 0 for a number."""
    classes: Annotated[tuple[ClassCount, ...], msgspec.Meta(max_length=MOST_NAMED)] = ()
    """The most frequent classes first."""
    numbers: Count = 0
    """Columns, or entries of an array, that are numbers."""
    times: Count = 0
    texts: Count = 0
    left_out_count: Count = 0
    left_out: Annotated[tuple[LeftOut, ...], msgspec.Meta(max_length=MOST_NAMED)] = ()
    rows: Count
    """Samples, those left out not among them."""
    rows_left_out: Count = 0
    held_out: Count = 0
    """Samples held out."""
    share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    """The share of samples that is held out, as it came out."""
    remarks: Annotated[tuple[str, ...], msgspec.Meta(max_length=MOST_NAMED)] = ()
    """Guesses that a user may want to overrule, such as the signs read as missing values."""

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        form = f" ({self.form})" if self.form else ""
        parts = [f"{self.file}{form}: target {self.target}: {self._kind()}", self._features()]
        parts += self._left_out()
        parts += self.remarks[:_MOST_SAID]
        if (rest := len(self.remarks) - _MOST_SAID) > 0:
            parts.append(f"{rest} more remarks in the JSON")
        out = f", {_counted(self.rows_left_out, 'row')} left out" if self.rows_left_out else ""
        held = f", {100 * self.share:.3g}% held out" if self.held_out else ", none held out"
        parts.append(f"{_counted(self.rows, 'row')}{out}{held}")
        return "; ".join(parts)

    def _kind(self) -> str:
        if not self.class_count:
            unit = f" in {self.unit}" if self.unit else ""
            return f"a number{unit} ({self.loss})"
        named = [f"{each.name} {each.samples:,}" for each in self.classes[:_MOST_SAID]]
        if self.class_count > len(named):
            named.append("…")
        count = "two" if self.class_count == 2 else f"{self.class_count:,}"
        return f"{count} classes, {', '.join(named)} ({self.loss})"

    def _features(self) -> str:
        kinds = ((self.numbers, "number"), (self.times, "time"), (self.texts, "text"))
        counts = [_counted(count, word) for count, word in kinds if count]
        return f"inputs: {', '.join(counts)}"

    def _left_out(self) -> list[str]:
        by_reason: dict[str, list[str]] = {}
        for each in self.left_out:
            by_reason.setdefault(each.reason, []).append(repr(each.column))
        rest = self.left_out_count - len(self.left_out)
        parts = []
        for reason, names in by_reason.items():
            more = len(names) - _MOST_SAID + rest
            shown = ", ".join(names[:_MOST_SAID])
            parts.append(f"{shown}{f' and {more} more' if more > 0 else ''} left out: {reason}")
            rest = 0
        return parts


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
