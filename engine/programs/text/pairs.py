"""Names with values anywhere in a line: "loss: 0.5", "lr=1e-3", "iter 10: loss 3.2", "[1/5]"."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from engine.programs.text.names import Meaning, canonical, meaning
from engine.programs.text.numerals import NUMBER, count, number, prefixed
from engine.programs.text.printed import Form, Printed
from engine.programs.text.templates import Spot, Templates

_MOST_VALUES: Final = 200
_WORD: Final = r"[A-Za-z_][\w./@-]{0,60}"
_SPOKEN: Final = (
    r"(?i:(?:[a-z]{1,20}[ _/.-])?(?:loss|losses|epoch|step|iter|iteration|acc|accuracy)"
    r"|lr|learning[ _]rate|batch|ppl|perplexity|mfu|grad[ _]norm|norm)"
)
"""Names that may stand before their value with only a space between."""
_PAIR: Final = re.compile(
    rf"(?<![\w./@])(?:(?P<key>{_WORD}(?: {_WORD})?)(?:\([^()]{{0,40}}\))?['\"]?\s*[:=]\s*"
    rf"|(?P<spoken>{_SPOKEN})\s+)"
    r"['\"]?(?:(?:tensor|array|(?:np|numpy)\.float\d+)\()?(?:\[\s*)?"
    rf"(?P<value>{NUMBER})(?:\s?/\s?(?P<total>\d[\d,]*))?"
    r"(?P<unit>\s?%|[A-Za-zµ]+(?:/[A-Za-z]+)?|\s(?:nats?|bits?|bpd|bpc|bpb)\b)?"
    r"(?![\w.]*\w|[-:]\d)"
)
_HINT: Final = re.compile(r"(?i)loss|epoch|step|iter|batch|\blr\b|learning|acc|ppl|perplex")
_BRACKETED: Final = re.compile(
    r"\[\s*(?P<epoch>\d+)\s*(?:,|\]\s*\[)\s*(?P<step>\d+)(?:\s*/\s*(?P<total>\d+))?\s*\]"
    r"|[\[(]\s*(?P<count>\d[\d,]*)\s*/\s*(?P<of>\d[\d,]*)(?:\s*\([^()]*\))?\s*[\])]"
)
"""Epoch and step as in "[1,  2000] loss" and "[0][ 10/5005]", or a step as in "[640/60000]"."""
_NANOGPT: Final = re.compile(r"iter \d+: loss |step \d+: train loss .*val loss ")
_UNINTERESTING: Final = frozenset({"eta", "v_num", "elapsed", "remaining"})
_LEVELS: Final = frozenset({"DEBUG", "INFO", "WARNING", "ERROR"})
_PLACES: Final = (Meaning.STEP, Meaning.EPOCH, Meaning.RATE)
_END_OF_TRAINER: Final = "train_runtime"


@dataclass(slots=True)
class NamedNumbers:
    """The numbers of a text, by what their names mean."""

    values: dict[str, float] = field(default_factory=dict)
    step: int | None = None
    total: int | None = None
    epoch: float | None = None
    epochs: int | None = None
    last: str = ""
    """The name of a number that ends the text; empty if none does."""
    units: dict[str, str] = field(default_factory=dict)
    """The units of values, by name; a value without a unit has none here."""

    def add(self, item: "_Item", numbers: Sequence[str]) -> None:
        """Take in a number; the first of a name counts."""
        name, kind = item.name, item.kind
        value, total = item.value.of(numbers), item.total.of(numbers)
        if kind is Meaning.STEP:
            if self.step is None:
                self.step, self.total = count(value), count(total)
        elif kind is Meaning.EPOCH:
            if self.epoch is None:
                self.epoch, self.epochs = number(value), count(total)
        elif len(self.values) < _MOST_VALUES and name not in self.values:
            self.values[name] = number(value)
            if item.unit:
                self.values[name], unit = prefixed(self.values[name], item.unit)
                self.units |= {name: unit} if unit else {}


@dataclass(frozen=True, slots=True)
class _Item:
    """A name in the lines of a template, and where its number stands."""

    name: str
    kind: Meaning
    value: Spot
    total: Spot
    unit: str


@dataclass(frozen=True, slots=True)
class _Plan:
    """The names in the lines of a template."""

    items: tuple[_Item, ...]
    last: str


def _plan(text: str, at: Callable[[int, str], Spot]) -> _Plan:
    items: list[_Item] = []
    last = ""
    for found in _PAIR.finditer(text):
        name = _name(found["key"] or found["spoken"])
        last = name if found.end() == len(text) else ""
        if name.lower() not in _UNINTERESTING:
            total = at(found.start("total"), found["total"]) if found["total"] else Spot(None)
            value = at(found.start("value"), found["value"])
            unit = (found["unit"] or "").strip()
            items.append(_Item(name, meaning(name), value, total, unit))
    return _Plan(tuple(items), last)


_templates: Final = Templates(_plan)


def pairs_of(text: str) -> NamedNumbers:
    """All numbers with names in a text."""
    plan, numbers = _templates.plan(text)
    pairs = NamedNumbers(last=plan.last)
    for item in plan.items:
        pairs.add(item, numbers)
    return pairs


def _name(key: str) -> str:
    """The name without a word before it that does not belong to it, as in "INFO step"."""
    name = canonical(key)
    before, _, last = key.rpartition(" ")
    is_place = meaning(name) is Meaning.SCALAR and meaning(last) in _PLACES
    return canonical(last) if is_place or before in _LEVELS else name


def parse_line(text: str) -> Printed | None:
    """The numbers with names in a line; None for a line that says nothing of a training."""
    if not _HINT.search(text):
        return None
    pairs = pairs_of(text)
    if pairs.values and pairs.step is None and (place := _BRACKETED.search(text)):
        _place(pairs, place)
    if not pairs.values and pairs.step is None and pairs.epoch is None:
        return None
    form = _form(text, pairs)
    if form is Form.TRAINER and _END_OF_TRAINER in pairs.values:
        return None
    return Printed(
        form, pairs.values, pairs.step, pairs.total, pairs.epoch, pairs.epochs, units=pairs.units
    )


def _place(pairs: NamedNumbers, found: re.Match[str]) -> None:
    if found["count"]:
        pairs.step, pairs.total = count(found["count"]), count(found["of"])
    else:
        pairs.step, pairs.total = count(found["step"]), count(found["total"] or "")
        pairs.epoch = number(found["epoch"])


def _form(text: str, pairs: NamedNumbers) -> Form:
    if text.startswith("{'") and text.endswith("}") and pairs.epoch is not None:
        return Form.TRAINER
    return Form.NANOGPT if _NANOGPT.match(text) else Form.PAIRS
