"""Readers of typed values, for argparse: text in, the value out, or an error that names what is
allowed.

Imports nothing heavy. What only torch can judge stays text: the worker judges it.
"""

import argparse
import math
import re
from collections.abc import Callable
from typing import Final, TypeVar

from engine.settings import BatchSize, DataOn, LrScaling, SettingsError, parse_batch_size
from gdtui.keys.script import KeyScriptError, Press, parse_keys

Value = TypeVar("Value")

_MOST: Final = 10**12
"""Above every whole number that makes sense here, and small enough for every format it is stored
in.
"""
_MOST_FPS: Final = 60.0
_DEVICE: Final = re.compile(r"auto|cpu|mps|cuda(:\d{1,3})?")


def whole(least: int, most: int = _MOST) -> Callable[[str], int]:
    """A reader of whole numbers from `least` to `most`."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            limit = f"from {least}" if most == _MOST else f"from {least} to {most:,}"
            raise argparse.ArgumentTypeError(f"{_shown(text)}: expected a whole number {limit}")
        return value

    return read


def number(text: str) -> float:
    """A number; whether it makes sense is the settings' to judge."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{_shown(text)}: expected a number, e.g. 0.01 or 1e-3"
        ) from None


def lr_scaling(text: str) -> LrScaling:
    """The name of a scaling rule."""
    try:
        return LrScaling(text.strip().lower())
    except ValueError:
        allowed = ", ".join(LrScaling)
        raise argparse.ArgumentTypeError(f"{_shown(text)}: choose from {allowed}") from None


def data_on(text: str) -> DataOn:
    """The place of the data: device, host or auto."""
    try:
        return DataOn(text.strip().lower())
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{_shown(text)}: choose from {', '.join(DataOn)}"
        ) from None


def switch(text: str) -> bool:
    """Yes or no, as a problem's file says it."""
    if text not in ("True", "False"):
        raise argparse.ArgumentTypeError(f"{_shown(text)}: expected True or False")
    return text == "True"


def on_or_off(text: str) -> bool:
    """on or off; True or False, as a problem's file says it."""
    known = {"on": True, "off": False, "true": True, "false": False}
    if text.lower() not in known:
        raise argparse.ArgumentTypeError(f"{_shown(text)}: expected on or off")
    return known[text.lower()]


def batch_size(text: str) -> BatchSize:
    """A whole number from 1, or full."""
    try:
        size = parse_batch_size(text)
    except SettingsError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return min(size, _MOST) if isinstance(size, int) else size


def pace(text: str) -> float | None:
    """Epochs a second; None for free."""
    if text.strip().lower() == "free":
        return None
    return _above_zero(text, "expected epochs per second, a number above 0, or free")


def fps(text: str) -> float:
    """Frames a second, from 1 to 60."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 1 <= value <= _MOST_FPS:
        raise argparse.ArgumentTypeError(
            f"{_shown(text)}: expected frames per second, from 1 to {_MOST_FPS:g}"
        )
    return value


def megabytes(text: str) -> float:
    """An amount of memory above 0."""
    return _above_zero(text, "expected megabytes, a number above 0")


def speed(text: str) -> float:
    """A factor of the speed at which a run went."""
    return _above_zero(text, "expected a speed factor, a number above 0")


def keys(text: str) -> tuple[Press, ...]:
    """A script of keys."""
    try:
        return parse_keys(text)
    except KeyScriptError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def device(text: str) -> str:
    """The name of a device, or of several; whether they are there is the worker's to judge."""
    names = [name.strip().lower() for name in text.split(",")]
    if not all(map(_DEVICE.fullmatch, names)):
        allowed = "auto, cpu, cuda, cuda:N or mps; several: cuda:0,cuda:1"
        raise argparse.ArgumentTypeError(f"{_shown(text)}: expected {allowed}")
    return ",".join(names)


def label(text: str) -> str:
    """A variant's name: something to see, and nothing that a terminal would take for a command."""
    name = text.strip()
    if not (name and name.isprintable()):
        raise argparse.ArgumentTypeError(
            f"{_shown(text)}: expected names of printable characters, none empty"
        )
    return name


def optimizer(text: str) -> str:
    """The name of an optimiser; whether torch has it is the worker's to judge."""
    name = text.strip()
    if not name.isidentifier():
        raise argparse.ArgumentTypeError(
            f"{_shown(text)}: expected the name of a torch.optim class, e.g. adam"
        )
    return name


def each(read: Callable[[str], Value]) -> Callable[[str], tuple[Value, ...]]:
    """A reader of values separated by commas."""
    return lambda text: tuple(read(part) for part in text.split(","))


def _above_zero(text: str, wanted: str) -> float:
    """A finite number above 0; `wanted` says of what."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{_shown(text)}: {wanted}")
    return value


def _shown(text: str) -> str:
    """The typed text, quoted, on one line, and not longer than helps."""
    return repr(text if len(text) <= 40 else text[:39] + "…")
