"""The commands of `gdtui send`: words as they are typed, read into commands for variants."""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from click import BadParameter
from msgspec.structs import replace

from engine.log.commands import (
    AnyCommand,
    Change,
    Extend,
    Measure,
    Pause,
    Restart,
    Resume,
    SetMeasuring,
    SetPace,
    StepOnce,
)
from engine.settings import LrScaling, LrSchedule, Precision, SettingsError, VariantSettings
from gdtui.cli.value_types import (
    batch_size,
    choice,
    number,
    number_or_off,
    on_or_off,
    optimizer,
    pace,
    whole,
)

Commands = Mapping[str, AnyCommand]

SETTINGS: Final[Mapping[str, Callable[[str], Any]]] = {
    "batch-size": batch_size,
    "lr": number,
    "lr-scaling": choice(LrScaling),
    "base-batch": whole(1),
    "accumulation": whole(1),
    "momentum": number,
    "optimizer": optimizer,
    "schedule": choice(LrSchedule),
    "warmup": number,
    "clip": number_or_off,
    "precision": choice(Precision),
    "batch-warmup": number,
}
"""The settings of a variant, by option name, each with the reader of its value."""
_FIELDS: Final = {"accumulation": "accumulation_steps"}
_PLURAL: Final = {"batch-sizes": "batch-size"}
_ALONE: Final[Mapping[str, Callable[[], AnyCommand]]] = {
    "pause": lambda: Pause(id=0),
    "resume": lambda: Resume(id=0),
}
"""Commands to the whole run, without a value."""
_VALUED: Final[Mapping[str, Callable[[str], AnyCommand]]] = {
    "pace": lambda text: SetPace(id=0, pace=pace(text)),
    "epochs": lambda text: Extend(id=0, epochs=whole(1)(text)),
    "measuring": lambda text: SetMeasuring(id=0, is_on=on_or_off(text)),
}
"""Commands to the whole run, each with a value."""
_CHOSEN: Final[Mapping[str, Callable[[VariantSettings], AnyCommand]]] = {
    "restart": lambda settings: Restart(id=0, settings=settings),
    "step": lambda _: StepOnce(id=0),
    "measure": lambda _: Measure(id=0),
}
"""Commands to the variants that are named, or to all."""
WORDS: Final = (*SETTINGS, *_VALUED, *_ALONE, *_CHOSEN)


class OrderWordsError(Exception):
    """Words that are not a command; the message says what is allowed."""


def split(arguments: Sequence[str]) -> list[list[str]]:
    """The words of each command: an argument with spaces is one, and so are all without any."""
    if any(len(argument.split()) > 1 for argument in arguments):
        return [_words(argument) for argument in arguments]
    return [[*arguments]]


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise OrderWordsError(f"{text!r}: {str(error).lower()}") from None


def read(
    typed: Sequence[Sequence[str]], settings: Mapping[str, VariantSettings]
) -> Iterator[Commands]:
    """Yield the commands for the host, in order. `settings`: the latest ones of each variant.

    Raises OrderWordsError.
    """
    settings = dict(settings)
    for words in typed:
        try:
            commands = _read(words, settings)
        except (BadParameter, SettingsError) as error:
            raise OrderWordsError(f"{' '.join(words)}: {_message(error)}") from None
        for name, command in commands.items():
            if isinstance(command, Change):
                settings[name] = command.settings
        yield commands


def _message(error: Exception) -> str:
    return error.message if isinstance(error, BadParameter) else str(error)


def _read(words: Sequence[str], settings: Mapping[str, VariantSettings]) -> Commands:
    word, rest = (words[0].lower(), list(words[1:])) if words else ("", [])
    word = _PLURAL.get(word.removeprefix("--"), word.removeprefix("--"))
    if word in SETTINGS:
        if not rest:
            raise OrderWordsError(f"{word} requires a value: {word} [VARIANT] VALUE")
        field = _FIELDS.get(word, word.replace("-", "_"))
        value = SETTINGS[word](rest[-1])
        return {
            name: Change(id=0, settings=replace(settings[name], **{field: value}))
            for name in _named(rest[:-1], settings)
        }
    if word in _CHOSEN:
        return {name: _CHOSEN[word](settings[name]) for name in _named(rest, settings)}
    if word in _VALUED and len(rest) == 1:
        return dict.fromkeys(settings, _VALUED[word](rest[0]))
    if word in _ALONE and not rest:
        return dict.fromkeys(settings, _ALONE[word]())
    if word in WORDS:
        raise OrderWordsError(f"expected {word}{' VALUE' if word in _VALUED else ''} alone")
    raise OrderWordsError(f"unknown command {word!r}; choose from {', '.join(WORDS)}")


def _named(words: Sequence[str], settings: Mapping[str, VariantSettings]) -> list[str]:
    """The variants that these words name: a name, a number from 1, or all."""
    names, text = [*settings], " ".join(words)
    if text.lower() in ("", "all"):
        return names
    found = [name for name in names if name.lower() == text.lower()]
    if not found and text.isdecimal() and 1 <= int(text) <= len(names):
        found = [names[int(text) - 1]]
    if not found:
        numbered = ", ".join(f"{place} {name}" for place, name in enumerate(names, start=1))
        raise OrderWordsError(f"no variant {text!r}; choose from {numbered}, or all")
    return found
