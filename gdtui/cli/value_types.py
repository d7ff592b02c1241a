"""Readers of typed values: turn text into a value, or an error that says what is allowed.

Imports nothing heavy. Values that only torch can judge stay text until the worker judges them.
"""

import csv
import math
import re
from collections.abc import Callable, Iterable
from typing import Final, NoReturn, TypeVar

from click import BadParameter

from engine.settings import BatchSize, SettingsError, parse_batch_size, parse_optimizer
from engine.settings.optimizer import split_outside_brackets
from gdtui.keys.durations import EXAMPLES, parse_duration
from gdtui.keys.script import KeyScriptError, Press, parse_keys

Value = TypeVar("Value")
Word = TypeVar("Word", bound=str)

_MOST: Final = 10**12
"""Above every whole number that makes sense here, and small enough for every format."""
_MOST_FPS: Final = 60.0
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?", re.IGNORECASE)
_BYTES: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_DEVICE: Final = re.compile(r"auto|cpu|mps|cuda(:\d{1,3})?|(gpu|mig)-[0-9a-z/-]+")
_SWITCH: Final = {"on": True, "off": False, "true": True, "false": False}


def whole(least: int, most: int = _MOST) -> Callable[[str], int]:
    """A reader for whole numbers from `least` to `most`."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        limit = f"from {least}" if most == _MOST else f"from {least} to {most:,}"
        return (
            value if least <= value <= most else _refuse(text, f"expected a whole number {limit}")
        )

    return read


def number(text: str) -> float:
    """A number; the settings check whether it makes sense."""
    try:
        return float(text)
    except ValueError:
        _refuse(text, "expected a number, e.g. 0.01 or 1e-3")


def above_zero(wanted: str) -> Callable[[str], float]:
    """A reader for finite numbers above 0; `wanted` describes them in an error."""

    def read(text: str) -> float:
        value = _number_or_nan(text)
        return value if 0 < value < math.inf else _refuse(text, f"expected {wanted}")

    return read


def choice(words: Iterable[Word]) -> Callable[[str], Word]:
    """A reader for one of these words, in upper or lower case."""
    known = {str(word): word for word in words}

    def read(text: str) -> Word:
        word = known.get(text.strip().lower())
        return word if word is not None else _refuse(text, f"choose from {', '.join(known)}")

    return read


def on_or_off(text: str) -> bool:
    """on or off; True or False, as in a file."""
    if (word := text.lower()) not in _SWITCH:
        _refuse(text, "expected on or off")
    return _SWITCH[word]


def batch_size(text: str) -> BatchSize:
    """A whole number from 1, or full."""
    try:
        size = parse_batch_size(text)
    except SettingsError as error:
        raise BadParameter(str(error)) from None
    return min(size, _MOST) if isinstance(size, int) else size


def pace(text: str) -> float | None:
    """Epochs per second; None for free."""
    return None if text.strip().lower() == "free" else _epochs_per_second(text)


_epochs_per_second = above_zero("epochs per second (a number above 0) or free")


def fps(text: str) -> float:
    """Frames per second, from 1 to 60."""
    value = _number_or_nan(text)
    wanted = f"expected frames per second, from 1 to {_MOST_FPS:g}"
    return value if 1 <= value <= _MOST_FPS else _refuse(text, wanted)


def keys(text: str) -> tuple[Press, ...]:
    """A script of keys."""
    try:
        return parse_keys(text)
    except KeyScriptError as error:
        raise BadParameter(str(error)) from None


def device(text: str) -> str:
    """The name of a device, or of several; the worker checks whether they exist."""
    names = [name.strip().lower() for name in text.split(",")]
    if not all(map(_DEVICE.fullmatch, names)):
        _refuse(
            text, "expected auto, cpu, cuda, cuda:N or mps, or a GPU's UUID; several: cuda:0,cuda:1"
        )
    return ",".join(names)


def label(text: str) -> str:
    """A variant's name: printable, and nothing that a terminal would take for a command."""
    name = text.strip()
    if not (name and name.isprintable()):
        _refuse(text, "expected a name of printable characters that is not empty")
    return name


def optimizer(text: str) -> str:
    """An optimiser with its arguments; the worker checks whether torch has it."""
    try:
        name = parse_optimizer(text).name
    except SettingsError as error:
        raise BadParameter(str(error)) from None
    if not name.isidentifier():
        _refuse(text, "expected a torch.optim class, e.g. adam or adamw(weight_decay=0.1)")
    return text.strip()


def number_or_off(text: str) -> float | None:
    """A number; None for off."""
    return None if text.strip().lower() == "off" else number(text)


def columns(text: str) -> tuple[str, ...]:
    """The names of columns, separated by commas; one with a comma stands in double quotes."""
    names = [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]
    if not names or not all(names):
        _refuse(text, "expected names of columns, separated by commas")
    return tuple(dict.fromkeys(names))


def separator(text: str) -> str:
    """A character between fields, by itself or by its name."""
    from engine.problems.tabular.reading.dialect import separator_named

    try:
        separator_named(text)
    except SettingsError:
        _refuse(text, "expected one character, or comma, semicolon, tab, pipe or space")
    return text


def duration(text: str) -> float:
    """Seconds, from a number with a unit (s, m, h, d or w); without a unit it is seconds."""
    seconds = parse_duration(text)
    if seconds is None:
        _refuse(text, f"expected a time such as {EXAMPLES}; a plain number is seconds")
    return seconds


def duration_above_zero(text: str) -> float:
    """The same, without 0."""
    return duration(text) or _refuse(text, f"expected a time above 0, such as {EXAMPLES}")


def size(text: str) -> int:
    """Bytes, from a number with a unit (K, M, G or T, powers of 1024); without one it is bytes."""
    found = _SIZE.fullmatch(text.strip())
    bytes_ = float(found[1]) * _BYTES[found[2].upper()] if found else math.inf
    if bytes_ == math.inf:
        _refuse(text, "expected a size such as 500M or 1.5G; a plain number is bytes")
    return int(bytes_)


def each(read: Callable[[str], Value]) -> Callable[[str], tuple[Value, ...]]:
    """A reader for values separated by commas outside brackets."""
    return lambda text: tuple(read(part) for part in split_outside_brackets(text))


def _number_or_nan(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _refuse(text: str, reason: str) -> NoReturn:
    """Report the typed text, quoted, on one line, and shortened if it is long."""
    raise BadParameter(f"{text if len(text) <= 40 else text[:39] + '…'!r}: {reason}")
