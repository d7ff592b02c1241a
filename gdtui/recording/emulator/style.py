"""The style of a cell, and the escape sequence that sets it (SGR, ECMA-48)."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple

_BASIC: Final = (
    *("#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5"),
    *("#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff"),
)
"""The first 16 colours, as xterm shows them."""
_CUBE: Final = (0, 95, 135, 175, 215, 255)
_CUBE_START, _GREY_START = 16, 232
_ATTRIBUTES: Final = {
    1: "bold",
    2: "dim",
    3: "italic",
    4: "underline",
    7: "reverse",
    9: "strike",
}
_ENDED: Final = {
    22: ("bold", "dim"),
    23: ("italic",),
    24: ("underline",),
    27: ("reverse",),
    29: ("strike",),
}
_COLOURS: Final = {3: "foreground", 4: "background", 9: "foreground", 10: "background"}
_RGB, _INDEXED = 2, 5
_EXTENDED, _DEFAULT = 8, 9


class CellStyle(NamedTuple):
    """Colours and attributes of a cell."""

    foreground: str | None = None
    """#rrggbb; None is the terminal's own colour."""
    background: str | None = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False
    strike: bool = False


PLAIN: Final = CellStyle()


@lru_cache(maxsize=4096)
def styled(style: CellStyle, parameters: str) -> CellStyle:
    """The style after an SGR sequence with these parameters, such as `1;38;2;255;0;0`."""
    numbers = _numbers(parameters)
    for number in numbers:
        style = PLAIN if number == 0 else style._replace(**_change(number, numbers))
    return style


def _change(number: int, rest: Iterator[int]) -> dict[str, Any]:
    """The fields that one parameter sets; a colour takes its numbers from `rest`."""
    if number in _ATTRIBUTES:
        return {_ATTRIBUTES[number]: True}
    if number in _ENDED:
        return dict.fromkeys(_ENDED[number], False)
    tens, ones = divmod(number, 10)
    if tens not in _COLOURS:
        return {}
    if ones == _EXTENDED:
        return {_COLOURS[tens]: _extended(rest)}
    return {_COLOURS[tens]: None if ones == _DEFAULT else _BASIC[ones + (8 if tens > 4 else 0)]}


def _numbers(parameters: str) -> Iterator[int]:
    """Parameters by number; colours with colons (ITU T.416) are read like those with semicolons."""
    for word in parameters.replace("::", ":").replace(":", ";").split(";"):
        yield int(word) if word.isdecimal() else 0


def _extended(numbers: Iterator[int]) -> str | None:
    """The colour that follows 38 or 48."""
    kind = next(numbers, 0)
    if kind == _INDEXED:
        return _indexed(next(numbers, 0))
    if kind != _RGB:
        return None
    red, green, blue = (next(numbers, 0) & 255 for _ in range(3))
    return f"#{red:02x}{green:02x}{blue:02x}"


def _indexed(number: int) -> str:
    if number < _CUBE_START:
        return _BASIC[number]
    if number < _GREY_START:
        red, rest = divmod(number - _CUBE_START, 36)
        green, blue = divmod(rest, 6)
        return "#" + "".join(f"{_CUBE[level % 6]:02x}" for level in (red, green, blue))
    return "#" + f"{8 + 10 * (min(number, 255) - _GREY_START):02x}" * 3


@lru_cache(maxsize=65536)
def transition(before: CellStyle, after: CellStyle) -> str:
    """The shortest escape sequence that turns one style into another; empty for equal styles."""
    if before == after:
        return ""
    changed = ";".join(_changes(before, after))
    from_plain = ";".join(("0", *_changes(PLAIN, after))) if after != PLAIN else ""
    is_removal = any(was and not now for was, now in zip(before[2:], after[2:], strict=True))
    shortest = from_plain if is_removal or len(from_plain) < len(changed) else changed
    return f"\x1b[{shortest}m"


def _changes(before: CellStyle, after: CellStyle) -> Iterator[str]:
    """SGR parameters for what differs; attributes that end are left out."""
    for number, name in _ATTRIBUTES.items():
        if getattr(after, name) and not getattr(before, name):
            yield str(number)
    for start, was, now in (
        (30, before.foreground, after.foreground),
        (40, before.background, after.background),
    ):
        if now is None and was is not None:
            yield str(start + 9)
        elif now is not None and now != was:
            yield f"{start + 8};2;{int(now[1:3], 16)};{int(now[3:5], 16)};{int(now[5:7], 16)}"
