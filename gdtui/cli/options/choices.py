"""The settings that a run is described by: how each is read, what it is unless somebody says
otherwise.

What is typed goes before what the problem suggests, and that before the program's own.
"""

import argparse
from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.settings import DataOn, LrScaling, SettingsError
from gdtui.cli.value_types import (
    batch_size,
    data_on,
    each,
    label,
    lr_scaling,
    number,
    on_or_off,
    optimizer,
    pace,
    switch,
    whole,
)

_MOST_LOADERS: Final = 256

READERS: Final[dict[str, Callable[[str], Any]]] = {
    "batch_sizes": each(batch_size),
    "lr": each(number),
    "lr_scaling": each(lr_scaling),
    "base_batch": whole(1),
    "accumulation": each(whole(1)),
    "momentum": each(number),
    "optimizer": each(optimizer),
    "names": each(label),
    "drop_last": switch,
    "epochs": whole(1),
    "pace": pace,
    "micro_batch": whole(1),
    "data_on": data_on,
    "loader_workers": whole(0, _MOST_LOADERS),
    "validate_every": whole(1),
    "measuring": on_or_off,
}
"""Values of each option (with underscores) by the word that is typed."""

_PLAIN: Final[dict[str, Any]] = {
    "batch_sizes": ("full", 64, 1),
    "lr": (0.01,),
    "lr_scaling": (LrScaling.NONE,),
    "base_batch": 64,
    "accumulation": (1,),
    "momentum": (0.0,),
    "optimizer": ("sgd",),
    "names": None,
    "drop_last": False,
    "epochs": 20,
    "micro_batch": None,
    "data_on": DataOn.AUTO,
    "loader_workers": 0,
    "validate_every": None,
    "measuring": True,
}


def with_defaults(
    typed: argparse.Namespace, suggested: Mapping[str, str], pace: float | None
) -> argparse.Namespace:
    """The typed options, completed by defaults. `suggested`: the problem's defaults, as text.

    Raises SettingsError for a suggestion that is none.
    """
    values = {**_PLAIN, "pace": pace, **_read(suggested)}
    if "batch_sizes" in vars(typed):
        # One each for other variants than these; the first is the best guess for all.
        values.update(
            {name: value[:1] for name, value in values.items() if _is_for_each(name, value)}
        )
        values["names"] = None
    return argparse.Namespace(**{**values, **vars(typed)})


def _is_for_each(name: str, value: object) -> bool:
    return name not in ("batch_sizes", "names") and isinstance(value, tuple)


def _read(suggested: Mapping[str, str]) -> dict[str, Any]:
    values = {}
    for name, text in suggested.items():
        option = {"accumulation_steps": "accumulation"}.get(name, name)
        if option not in READERS:
            raise SettingsError(
                f"defaults: unknown name {name!r}; choose from {', '.join(READERS)}"
            )
        try:
            values[option] = READERS[option](text)
        except argparse.ArgumentTypeError as error:
            raise SettingsError(f"defaults: {name}: {error}") from None
    return values
