"""Settings as a form of text fields: their present values, and the validated input.

No widget.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeVar

from msgspec.structs import replace

from engine.settings import (
    LrScaling,
    LrSchedule,
    Precision,
    SettingsError,
    VariantSettings,
    parse_batch_size,
)
from gdtui.view.text import formatting

_SWITCH: Final = {"on": True, "off": False}
WordT = TypeVar("WordT", bound=StrEnum)


def _number(name: str) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise SettingsError(f"{name} {text!r}: a number") from None

    return parse


def _whole(name: str) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise SettingsError(f"{name} {text!r}: a whole number from 1") from None

    return parse


def _word(name: str, words: type[WordT]) -> Callable[[str], WordT]:
    def parse(text: str) -> WordT:
        try:
            return words(text.lower())
        except ValueError:
            raise SettingsError(f"{name} {text!r}: choose from {', '.join(words)}") from None

    return parse


def _number_or_off(name: str) -> Callable[[str], float | None]:
    parse = _number(name)
    return lambda text: None if text.lower() == formatting.OFF else parse(text)


def _switch(name: str) -> Callable[[str], bool]:
    def parse(text: str) -> bool:
        if (word := text.lower()) not in _SWITCH:
            raise SettingsError(f"{name} {text!r}: choose from {', '.join(_SWITCH)}")
        return _SWITCH[word]

    return parse


FIELDS: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "batch_size": ("batch size", parse_batch_size),
    "lr": ("lr", _number("lr")),
    "lr_scaling": ("lr scaling", _word("lr scaling", LrScaling)),
    "accumulation_steps": ("accumulation", _whole("accumulation")),
    "momentum": ("momentum", _number("momentum")),
    "optimizer": ("optimizer", str),
    "schedule": ("schedule", _word("schedule", LrSchedule)),
    "warmup": ("warm-up", _number("warm-up")),
    "clip": ("clip", _number_or_off("clip")),
    "precision": ("precision", _word("precision", Precision)),
    "batch_warmup": ("batch warm-up", _number("batch warm-up")),
    "drop_last": ("drop last", _switch("drop last")),
}
"""Name of the setting -> (its label, its parser)."""


def values(field: str, settings: Sequence[VariantSettings]) -> list[str]:
    """The text of a field for each of these settings, as a user would type it."""
    found = [getattr(one, field) for one in settings]
    return [formatting.value(value) for value in found]


def read(typed: Mapping[str, str], before: VariantSettings, n: int) -> VariantSettings:
    """`before`, changed as typed; an empty field changes nothing. Raises SettingsError.

    `n`: samples in the training set, 0 while unknown.
    """
    given = {field: FIELDS[field][1](text.strip()) for field, text in typed.items() if text.strip()}
    settings = replace(before, **given)
    if n:
        settings.resolve(n)
    return settings
