"""The options of a command line that describe a file of data."""

from collections.abc import Iterator
from typing import Final

from engine.settings import DataSettings

_COLUMNS: Final = ("leave_out", "as_number", "as_text", "as_classes")
_WORDS: Final = ("target", "model", "encoding", "separator", "decimal")
_FLAGS: Final = ("drop_missing_target", "no_header")


def data_options(data: DataSettings | None) -> Iterator[str]:
    """The words of a command line that give these settings; none without a file."""
    if data is None:
        return
    yield from ("--data", data.path)
    for option in _WORDS:
        if (text := getattr(data, option)) is not None:
            yield from (_typed(option), text)
    if data.validation is not None:
        yield from ("--validation", f"{data.validation:g}")
    for option in _COLUMNS:
        if names := getattr(data, option):
            yield from (_typed(option), ",".join(map(_listed, names)))
    for option in _FLAGS:
        if getattr(data, option):
            yield _typed(option)


def _typed(option: str) -> str:
    return f"--{option.replace('_', '-')}"


def _listed(name: str) -> str:
    """A column's name in a list of names that commas separate."""
    if not set(name) & set(',"'):
        return name
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
