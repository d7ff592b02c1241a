"""Settings as a form of text fields: their present values, and the validated input.

No widget.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from engine.settings import LrScaling, SettingsError, VariantSettings, parse_batch_size
from gdtui.view.text import formatting


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


def _rule(text: str) -> LrScaling:
    try:
        return LrScaling(text.lower())
    except ValueError:
        raise SettingsError(f"lr scaling {text!r}: none, linear or sqrt") from None


FIELDS: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "batch_size": ("batch size", parse_batch_size),
    "lr": ("lr", _number("lr")),
    "lr_scaling": ("lr scaling", _rule),
    "accumulation_steps": ("accumulation", _whole("accumulation")),
    "momentum": ("momentum", _number("momentum")),
    "optimizer": ("optimizer", str),
}
"""Name of the setting -> (its label, its parser)."""


def values(field: str, settings: Sequence[VariantSettings]) -> list[str]:
    """The text of a field for each of these settings, as a user would type it."""
    found = [getattr(one, field) for one in settings]
    return [
        formatting.setting(value) if isinstance(value, float) else str(value) for value in found
    ]


def read(typed: Mapping[str, str], before: VariantSettings, n: int) -> VariantSettings:
    """`before`, changed as typed; an empty field changes nothing. Raises SettingsError.

    `n`: samples in the training set, 0 while unknown.
    """
    given = {field: FIELDS[field][1](text.strip()) for field, text in typed.items() if text.strip()}
    settings = replace(before, **given)
    if n:
        settings.resolve(n)
    return settings
