"""Progress bars: tqdm's, with Lightning's, and Keras' and Rich's bars of lines."""

import re
from collections.abc import Iterator
from typing import Final

from engine.programs.text.numerals import count
from engine.programs.text.pairs import pairs_of
from engine.programs.text.printed import Form, Printed

_COUNT: Final = r"\d[\d.,]*[kKMGT]?"
_TQDM: Final = re.compile(
    r"(?P<label>[^|]*?)\s*(?:(?<![\d.])\d{1,3}%\|[^|]*\|\s*)?"
    rf"(?<![\d./])(?P<step>{_COUNT})(?:/(?P<total>{_COUNT}|\?))?\s?(?:[A-Za-z]{{1,20}})?"
    r"\s\[(?P<inside>\d+:\d\d(?:[^\[\]]|\[[^\[\]]*\])*)(?P<close>\])?"
)
_LINE_BAR: Final = re.compile(
    r"(?P<label>.*?)(?<![\d/])(?P<step>\d+)/(?P<total>\d+|Unknown)\s+(?:[━╸╺─]+|\[[=>.]+\])(?P<rest>.*)"
)
_RICH: Final = re.compile(r"(?P<label>.*?)\s[━╸╺─]+\s+(?P<step>\d+)/(?P<total>\d+)\s(?P<rest>.*)")
_NUMBERS: Final = re.compile(r"[\d.,]+(?:e[-+]?\d+)?")


def parse_bars(text: str) -> Iterator[Printed]:
    """The bars in a text, several if they stand in one line."""
    if "━" in text or "─" in text or "[=" in text or "[>" in text:
        if found := _RICH.match(text):
            yield _bar(found, found["rest"], Form.LIGHTNING)
        elif found := _LINE_BAR.match(text):
            yield _bar(found, found["rest"], Form.KERAS)
    elif "[" in text and ("%|" in text or "it/s" in text or "s/it" in text or "it [" in text):
        for found in _TQDM.finditer(text):
            yield _bar(found, found["inside"], Form.TQDM)


def _bar(found: re.Match[str], rest: str, form: Form) -> Printed:
    front, behind = pairs_of(found["label"]), pairs_of(rest)
    if form is Form.TQDM and not found["close"] and behind.last:
        behind.values.pop(behind.last, None)  # the terminal is too narrow: its value is cut
    if "v_num" in rest:
        form = Form.LIGHTNING
    return Printed(
        form,
        {**front.values, **behind.values},
        count(found["step"]),
        count(found["total"] or ""),
        behind.epoch if front.epoch is None else front.epoch,
        behind.epochs if front.epoch is None else front.epochs,
        " ".join(_NUMBERS.sub("", found["label"]).split())[:80],
        {**front.units, **behind.units},
    )
