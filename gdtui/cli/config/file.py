"""The user's configuration file, with options by their long names in a table per command.

Checks keys; the options parse the values, as if they had been typed.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, NoReturn

from click import UsageError

ALL: Final = ""
"""The table of the keys above all tables, for every command that has the option."""
_TABLE: Final = re.compile(r"\s*\[\s*[\"']?([\w-]+)[\"']?\s*\]")
_KEY: Final = re.compile(r"\s*[\"']?([\w-]+)[\"']?\s*=")
_PLACE: Final = re.compile(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)")


def default_path() -> Path:
    """The path of the file, unless --config names another."""
    from platformdirs import user_config_path

    try:
        return user_config_path("gdtui", appauthor=False) / "config.toml"
    except RuntimeError:  # a user without a home directory
        return Path(os.devnull)


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The content of a file."""

    path: Path
    values: Mapping[str, Mapping[str, str]]
    """Values as they would be typed, by table and by the option's name with underscores."""
    lines: Mapping[tuple[str, str], int]
    """The lines of tables and keys, counted from 1; a table's line has no key."""

    def defaults(self, table: str) -> dict[str, str]:
        """The values for a command; those of its table override those for all."""
        return {**self.values.get(ALL, {}), **self.values.get(table, {})}

    def place(self, table: str, name: str) -> str:
        """File and line of a command's value."""
        return self._line(table if name in self.values.get(table, {}) else ALL, name)

    def check(
        self, table: str, tables: Sequence[str], names_of: Callable[[str], Sequence[str]]
    ) -> None:
        """Report a key, for this command or for all, that names no option, or an unknown table.

        `tables`: those of all commands; `names_of` returns the options of a table.
        """
        for each in sorted(set(self.values).difference([ALL, *tables])):
            self._refuse(each, "", f"unknown table [{each}]", tables)
        for name in sorted(set(self.values.get(table, {})).difference(names_of(table))):
            owners = ", ".join(f"[{each}]" for each in tables if name in names_of(each))
            reason = f"[{table}] has no {_dashed(name)!r}"
            self._refuse(
                table, name, reason, names_of(table), hint=owners and f"it is for {owners}"
            )
        if foreign := set(self.values.get(ALL, {})).difference(names_of(table)):
            known = {name for each in tables for name in names_of(each)}
            for name in sorted(foreign - known):
                self._refuse(ALL, name, f"unknown key {_dashed(name)!r}", known)

    def _refuse(
        self, table: str, name: str, reason: str, known: Iterable[str], hint: str = ""
    ) -> NoReturn:
        if close := get_close_matches(_dashed(name or table), map(_dashed, sorted(known)), n=1):
            hint = hint or f"did you mean {close[0]}?"
        hint = hint or "gdtui config lists all keys"
        raise UsageError(f"{self._line(table, name)}: {reason}; {hint}")

    def _line(self, table: str, name: str) -> str:
        places = (table, name), (table, ""), (ALL, _name(table))  # the last, an inline table
        line = next((self.lines[place] for place in places if place in self.lines), None)
        return str(self.path) if line is None else f"{self.path}:{line}"


def read_config(path: Path, *, must_exist: bool) -> ConfigFile:
    """The file's content; UsageError with the line if it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if must_exist:
            raise UsageError(f"no configuration file {path}") from None
        return ConfigFile(path, {}, {})
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"cannot read {path}: it is not UTF-8") from None
    import tomllib  # 4 ms, only spent if there is a file

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _PLACE.fullmatch(str(error))
        line = (found and found[2]) or len(text.splitlines())
        raise UsageError(f"{path}:{line}: {found[1] if found else error}") from None
    document = {ALL: {}, **document}
    for key in [key for key, value in document.items() if not isinstance(value, dict)]:
        document[ALL][key] = document.pop(key)
    config = ConfigFile(path, {}, _lines(text))
    values = {
        table: {_name(key): _text(config, table, key, value) for key, value in keys.items()}
        for table, keys in document.items()
    }
    return ConfigFile(path, values, config.lines)


def _text(config: ConfigFile, table: str, key: str, value: Any) -> str:
    """A value as it would be typed."""
    match value:
        case bool():
            return str(value).lower()
        case str() | int() | float():
            return str(value)
        case list() if not any(isinstance(each, list | dict) for each in value):
            return ",".join(_text(config, table, key, each) for each in value)
        case _:
            place = config.place(table, _name(key))
            raise UsageError(f"{place}: {key}: expected a number, a string, or a list of these")


def _lines(text: str) -> dict[tuple[str, str], int]:
    lines: dict[tuple[str, str], int] = {}
    table = ALL
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _TABLE.match(line):
            table = found[1]
            lines.setdefault((table, ""), number)
        elif found := _KEY.match(line):
            lines.setdefault((table, _name(found[1])), number)
    return lines


def _name(key: str) -> str:
    return key.replace("-", "_")


def _dashed(name: str) -> str:
    return name.replace("_", "-")
