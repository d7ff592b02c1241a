"""Makes text from files, other processes and users' code safe for a terminal.

A terminal interprets some characters instead of showing them: control characters move the cursor
and begin escape sequences (ECMA-48), and format characters reorder or hide the text around them
(Unicode TR 36). They are replaced by visible escapes in Python's notation.
"""

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec.structs import replace

T = TypeVar("T")

_LINES: Final = {"lines": True}
Lines = Annotated[str, msgspec.Meta(extra=_LINES)]
"""Text of several lines, such as a traceback. A plain `str` from outside is a single line."""

MOST_CHARACTERS: Final = 10_000
"""Maximum length of a line; text of several lines may be ten times as long."""

_JOINERS: Final = "\u200c\u200d"
_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff"
    "\ufeff\ufff0-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e00ff]"
    # A joiner is legitimate between letters of joining scripts, and between emoji.
    f"|(?<![\u0600-\U0003ffff])[{_JOINERS}]|[{_JOINERS}](?![\u0600-\U0003ffff])"
    f"|(?<=[{_JOINERS}])[{_JOINERS}]"
)
"""Control and format characters (categories Cc, Cf, Zl, Zp, Cs), except those that are visible."""
_BREAKS: Final = re.compile("[\t-\r\x1c-\x1e\x85\u2028\u2029]+")
_NEW_LINES: Final = re.compile("\r\n?|[\v\f\x85\u2028\u2029]")


def clean(text: str) -> str:
    """The text as one line without characters that a terminal interprets; line breaks to spaces."""
    if text.isprintable() and len(text) <= MOST_CHARACTERS:
        return text
    return _shortened(_UNSAFE.sub(_escaped, _BREAKS.sub(" ", text)), MOST_CHARACTERS)


def clean_lines(text: str, most: int = 10 * MOST_CHARACTERS) -> str:
    """Clean text of several lines, up to `most` characters; keeps line breaks, expands tabs."""
    lines = _NEW_LINES.sub("\n", text).expandtabs(4).split("\n")
    shown = "\n".join(line if line.isprintable() else _UNSAFE.sub(_escaped, line) for line in lines)
    return _shortened(shown, most)


def to_json(document: Any) -> bytes:
    """The document as one line of JSON, safe for a terminal; its strings stay exact."""
    try:
        text = msgspec.json.encode(document).decode()
    except UnicodeEncodeError:  # a path may contain bytes that are not UTF-8
        text = json.dumps(msgspec.to_builtins(document), ensure_ascii=False, separators=(",", ":"))
    if not text.isprintable():
        text = _UNSAFE.sub(lambda found: json.dumps(found[0])[1:-1], text)
    return text.encode()


def _escaped(found: "re.Match[str]") -> str:
    return found[0].encode("unicode_escape").decode()


def _shortened(text: str, most: int) -> str:
    half = (most - 3) // 2
    return text if len(text) <= most else f"{text[:half]} … {text[-half:]}"


# --- Whole values -------------------------------------------------------------------------------


def cleaned(value: T) -> T:
    """A value decoded by msgspec, with all text in it cleaned, including dictionary keys.

    Raises ValueError if a struct rejects the cleaned values, for example names that differed only
    in invisible characters.
    """
    return value if value is None else _cleaned(value, clean)


def _cleaned(value: Any, of_text: Callable[[str], str]) -> Any:
    if type(value) is str:  # leaves members of a StrEnum unchanged
        return of_text(value)
    if isinstance(value, msgspec.Struct):
        return _cleaned_struct(value)
    if isinstance(value, dict):
        return {_cleaned(key, clean): _cleaned(each, of_text) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(_cleaned(each, of_text) for each in value)
    return value


def _cleaned_struct(value: msgspec.Struct) -> msgspec.Struct:
    changed = {}
    for name, of_text in _fields_with_text(type(value)):
        before = getattr(value, name)
        if (after := _cleaned(before, of_text)) != before:
            changed[name] = after
    return replace(value, **changed) if changed else value


@cache
def _fields_with_text(kind: type[msgspec.Struct]) -> list[tuple[str, Callable[[str], str]]]:
    """The fields that may contain text, each with the function that cleans it."""
    fields: list[tuple[str, Callable[[str], str]]] = []
    for name, hint in get_type_hints(kind, include_extras=True).items():
        plain, *extras = get_args(hint) if get_origin(hint) is Annotated else (hint,)
        if plain not in (int, float, bool, bytes):
            has_lines = any(getattr(each, "extra", None) == _LINES for each in extras)
            fields.append((name, clean_lines if has_lines else clean))
    return fields
