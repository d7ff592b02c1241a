"""A script of keys, such as `8s S 20s ? 3s q`: its parser, and its player in an app.

Knows no action: keys are handled as if they had been pressed. Parsing imports nothing heavy.
"""

import re
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gdtui.keys.durations import parse_wait

if TYPE_CHECKING:
    from textual.app import App

_WITH: Final = re.compile(r"(?:(?:ctrl|shift|alt)\+)+([a-z0-9]+(?:_[a-z]+)*)")
_NAMES: Final = {
    *("enter", "escape", "tab", "space", "backspace", "delete", "insert"),
    *("up", "down", "left", "right", "home", "end", "pageup", "pagedown"),
    *(f"f{number}" for number in range(1, 13)),
}
_FRIENDLY: Final = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
"""Textual's names for keys whose characters have another name in Unicode."""
_POLL_SECONDS: Final = 0.02
_GAP_SECONDS: Final = 0.03
"""Seconds between keys without a wait, or a widget's key overtakes one bubbling to a binding."""


class KeyScriptError(ValueError):
    """A script that cannot be played; the message says which word of it is wrong."""


@dataclass(frozen=True, slots=True)
class Press:
    """One key, and the time to press it."""

    at: float
    """Seconds after the start of the script."""
    key: str
    """Textual's name of the key."""
    character: str | None
    """The character that it types; None for keys that type nothing."""


def parse_keys(text: str) -> tuple[Press, ...]:
    """The presses of a script; KeyScriptError if a word is neither a wait nor a key."""
    presses, at = [], 0.0
    for word in text.split():
        if (wait := parse_wait(word)) is not None:
            at += wait
        else:
            presses.append(Press(at, *_key(word)))
    if not presses:
        raise KeyScriptError(f"{text!r}: no key; such as '8s S 20s q'")
    return tuple(presses)


def _key(word: str) -> tuple[str, str | None]:
    """Textual's name of a key, and what it types."""
    if len(word) == 1:
        return _name(word), word
    if word in _NAMES:
        return word, {"space": " ", "enter": "\r", "tab": "\t"}.get(word)
    combined = _WITH.fullmatch(word)
    if combined and (len(combined[1]) == 1 or combined[1] in _NAMES):
        return word, None
    shown = word if len(word) <= 40 else word[:39] + "…"
    raise KeyScriptError(
        f"{shown!r} is neither a wait (8s, 250ms, 1m30s) nor a key "
        "(one character, or a name: space, enter, escape, tab, up, ctrl+p)"
    )


def _name(character: str) -> str:
    """The name of the key that types a character; letters and digits are their own names."""
    if character.isalnum():
        return character
    name = unicodedata.name(character, character).lower().replace("-", "_").replace(" ", "_")
    return _FRIENDLY.get(name, name)


async def play(app: "App[None]", presses: tuple[Press, ...], is_ready: Callable[[], bool]) -> None:
    """Wait until `is_ready`, then press each key when it is due."""
    import asyncio

    from textual.events import Key

    while not is_ready():
        await asyncio.sleep(_POLL_SECONDS)
    start = time.monotonic()
    for press in presses:
        # Timed from the start, not from the key before, so that a slow key delays no other.
        await asyncio.sleep(max(_GAP_SECONDS, start + press.at - time.monotonic()))
        app.post_message(Key(press.key, press.character))
