"""The optimiser as it is typed: a name, and arguments by their names in torch.

`adamw(weight_decay=0.1, betas=(0.9, 0.95))`. Values are literals; nothing is ever evaluated.
Whether torch has the optimiser, and the optimiser the arguments, is the worker's to judge.
"""

import ast
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from engine.settings.basics import SettingsError

_CALL: Final = re.compile(r"\s*([^\W\d]\w*)\s*\((.*)\)\s*", re.DOTALL)
_MOST_CHARACTERS: Final = 1_000
_EXAMPLE: Final = "e.g. adamw(weight_decay=0.1, betas=(0.9, 0.95))"
_RESERVED: Final = {"lr": "--lr sets it", "params": "these are the model's parameters"}

Literal = bool | int | float | str | None | tuple[Any, ...]


class ParsedOptimizer(NamedTuple):
    """An optimiser's name in lower case, and its arguments by name."""

    name: str
    arguments: Mapping[str, Literal]


@lru_cache(maxsize=256)  # every frame asks
def parse_optimizer(text: str) -> ParsedOptimizer:
    """Read the name and the arguments; SettingsError for arguments that are no literals by name."""
    if (found := _CALL.fullmatch(text)) is None:
        return ParsedOptimizer(text.strip().lower(), {})
    if len(text) > _MOST_CHARACTERS:
        raise SettingsError(f"optimizer: more than {_MOST_CHARACTERS:,} characters of arguments")
    return ParsedOptimizer(found[1].lower(), _arguments(found[1], found[2]))


def _arguments(name: str, text: str) -> dict[str, Literal]:
    try:
        call = ast.parse(f"f({text}\n)", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        call = None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise SettingsError(f"optimizer {name}({text}): expected arguments by name, {_EXAMPLE}")
    if call.args or any(each.arg is None for each in call.keywords):
        raise SettingsError(f"optimizer {name}: give its arguments by name, {_EXAMPLE}")
    arguments: dict[str, Literal] = {}
    for each in call.keywords:
        key = str(each.arg)
        if key in _RESERVED:
            raise SettingsError(f"optimizer {name}: {key} is no argument here; {_RESERVED[key]}")
        if key in arguments:
            raise SettingsError(f"optimizer {name}: {key} is given twice")
        arguments[key] = _literal(name, key, each.value)
    return arguments


def _literal(name: str, key: str, node: ast.expr) -> Literal:
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        value = ...
    if not _is_plain(value):
        raise SettingsError(
            f"optimizer {name}: {key} must be a literal: a finite number, True, False, None, a "
            "string or a tuple of these"
        )
    return tuple(value) if isinstance(value, list) else value


def _is_plain(value: object) -> bool:
    if isinstance(value, tuple | list):
        return all(map(_is_plain, value))
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, bool | int | str)


def split_outside_brackets(text: str) -> list[str]:
    """The parts of a list separated by commas; those inside brackets or quotes separate nothing."""
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"" and depth:
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth = max(depth - 1, 0)
        elif character == "," and not depth:
            parts.append("")
            continue
        parts[-1] += character
    return parts
