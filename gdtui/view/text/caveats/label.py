"""A variant's name as the screen shows it: with what it is now where the name says otherwise.

Names are fixed for a run, also in CSV, JSON and logs, whatever keys do to the settings. One that
states a setting ("Mini-batch 16", "SGD", "lr 0.1") is followed by that setting's present value.
A name states what it was given for: a word or number in it that was true of the first settings.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from engine.settings import FULL, VariantSettings
from gdtui.state.variant import VariantState
from gdtui.view.text import formatting

ARROW: Final = " → "

_NUMBER: Final = r"(\d[\d,]*\.?\d*(?:e[+-]?\d+)?)"
_BATCH: Final = re.compile(rf"\b(?:mini-?batch|batch(?:[ _-]?size)?|bs|b)[ =_:-]*{_NUMBER}", re.I)
_LR: Final = re.compile(rf"\blr[ =_:-]*{_NUMBER}", re.I)
_MOMENTUM: Final = re.compile(rf"(?:\bmomentum|\bmom|β)[ =_:-]*{_NUMBER}", re.I)
_ACCUMULATION: Final = re.compile(rf"(?:\baccum(?:ulation)?|\bacc|[×x])[ =_:×-]*{_NUMBER}", re.I)
_RULE: Final = re.compile(r"\b(linear|sqrt)\b", re.I)
_BARE: Final = re.compile(_NUMBER)


def label(one: VariantState) -> str:
    """The name, such as "Mini-batch 16 → 128" once its batch size is another one."""
    return labelled(one.tally.name, one.named_for, one.tally.settings, one.tally.n)


@lru_cache(maxsize=1024)  # every frame asks for all of them
def labelled(name: str, first: VariantSettings | None, now: VariantSettings, n: int) -> str:
    """The name of a variant that began with the settings `first`, with n training samples."""
    if first is None or first == now:
        return name
    before, after = dict(formatting.fields(first, n)), dict(formatting.fields(now, n))
    stated = list(_stated(name, first))
    changed = [field for field in stated if before[field] != after[field]]
    if "batch" in changed and _is_still_between(name, first, after["batch"]):
        changed.remove("batch")
    if not changed:
        return name
    if len(stated) == 1:
        return f"{name}{ARROW}{after[changed[0]]}"
    return f"{name}{ARROW}{', '.join(f'{field} {after[field]}' for field in changed)}"


def _stated(name: str, first: VariantSettings) -> Iterator[str]:
    """The settings that a name states, by their names in `formatting.fields`."""
    for field, is_stated in _FIELDS.items():
        if is_stated(name, first):
            yield field


def _states_batch(name: str, first: VariantSettings) -> bool:
    if first.batch_size == FULL:
        return bool(re.search(r"\bbatch gd\b|\bfull\b", name, re.I))
    if first.batch_size == 1 and re.search(r"\bsgd\b", name, re.I):
        return True
    return _has_number(_BATCH, name, first.batch_size) or _is_mini(name)


def _is_mini(name: str) -> bool:
    """True for "Mini-batch" without a number: a batch between one sample and all."""
    return bool(re.search(r"\bmini-?batch\b", name, re.I)) and not _BATCH.search(name)


def _is_still_between(name: str, first: VariantSettings, now: str) -> bool:
    if first.batch_size in (FULL, 1) or not _is_mini(name):
        return False
    return now not in (FULL, "1")


def _states_lr(name: str, first: VariantSettings) -> bool:
    return _has_number(_LR, name, first.lr)


def _states_momentum(name: str, first: VariantSettings) -> bool:
    return _has_number(_MOMENTUM, name, first.momentum)


def _states_accumulation(name: str, first: VariantSettings) -> bool:
    return _has_number(_ACCUMULATION, name, first.accumulation_steps)


def _states_rule(name: str, first: VariantSettings) -> bool:
    return any(found[1].lower() == str(first.lr_scaling) for found in _RULE.finditer(name))


def _states_optimizer(name: str, first: VariantSettings) -> bool:
    word = first.optimizer.lower()
    is_of_batch = word == "sgd" and first.batch_size == 1
    return not is_of_batch and bool(re.search(rf"\b{re.escape(word)}\b", name.lower()))


_FIELDS: Final[dict[str, Callable[[str, VariantSettings], bool]]] = {
    "batch": _states_batch,
    "lr": _states_lr,
    "scaling": _states_rule,
    "accum": _states_accumulation,
    "momentum": _states_momentum,
    "optimizer": _states_optimizer,
}


def _has_number(pattern: re.Pattern[str], name: str, value: float) -> bool:
    """True if the name has this value where the pattern looks, or is a number of that value."""
    found = [match[1] for match in pattern.finditer(name)]
    if bare := _BARE.fullmatch(name.strip()):
        found.append(bare[1])
    return any(_value(text) == value for text in found)


def _value(text: str) -> float | None:
    try:
        return float(text.rstrip(".,").replace(",", ""))
    except ValueError:
        return None
