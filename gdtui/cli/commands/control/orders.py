"""The commands of `gdtui send`: words as they are typed, read into commands for variants."""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from click import BadParameter
from msgspec.structs import replace

from engine.log.commands import (
    Add,
    Answer,
    AnyCommand,
    Change,
    Extend,
    Fork,
    Measure,
    Pause,
    Remove,
    Restart,
    Resume,
    Rewind,
    SetMeasuring,
    SetPace,
    StepOnce,
    TypeText,
)
from engine.log.lineage.points import PointError, Reached
from engine.programs.readings import Choice
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
Find = Callable[[str, int], Reached]
"""Finds the group boundary at or before a batch of a variant. Raises PointError."""

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
FIELDS: Final[Mapping[str, str]] = {"accumulation": "accumulation_steps"}
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
    "answer": lambda text: Answer(id=0, choice=str(choice(Choice)(text))),
    "type": lambda text: TypeText(id=0, data=f"{text}\r".encode()),
}
"""Commands to the whole run, each with a value."""
_FREE: Final = "type"
"""The command whose value may have any number of words."""
_CHOSEN: Final[Mapping[str, Callable[[VariantSettings], AnyCommand]]] = {
    "restart": lambda settings: Restart(id=0, settings=settings),
    "step": lambda _: StepOnce(id=0),
    "measure": lambda _: Measure(id=0),
}
"""Commands to the variants that are named, or to all."""
_COMING: Final = ("fork", "rewind", "new", "remove")
"""Commands that let variants come, go back and go."""
WORDS: Final = (*SETTINGS, *_VALUED, *_ALONE, *_CHOSEN, *_COMING)


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
    typed: Sequence[Sequence[str]], settings: Mapping[str, VariantSettings], find: Find
) -> Iterator[Commands]:
    """Yield the commands for the host, in order. `settings`: the latest ones of each variant.

    Raises OrderWordsError.
    """
    settings = dict(settings)
    for words in typed:
        try:
            commands = _read(words, settings, find)
        except (BadParameter, SettingsError, PointError) as error:
            raise OrderWordsError(f"{' '.join(words)}: {_message(error)}") from None
        for name, command in commands.items():
            if isinstance(command, Change | Rewind):
                settings[name] = command.settings
        yield commands


def needs_worker(command: AnyCommand) -> bool:
    """True for a command that has no effect on a variant whose worker has ended."""
    return not isinstance(command, Restart | Rewind | Fork | Add | Remove)


def _message(error: Exception) -> str:
    return error.message if isinstance(error, BadParameter) else str(error)


def _read(words: Sequence[str], settings: Mapping[str, VariantSettings], find: Find) -> Commands:
    word, rest = (words[0].lower(), list(words[1:])) if words else ("", [])
    word = _PLURAL.get(word.removeprefix("--"), word.removeprefix("--"))
    if word in SETTINGS:
        if not rest:
            raise OrderWordsError(f"{word} requires a value: {word} [VARIANT] VALUE")
        field = FIELDS.get(word, word.replace("-", "_"))
        value = SETTINGS[word](rest[-1])
        return {
            name: Change(id=0, settings=replace(settings[name], **{field: value}))
            for name in _named(rest[:-1], settings)
        }
    if word in _COMING:
        return _read_coming(word, rest, settings, find)
    if word in _CHOSEN:
        return {name: _CHOSEN[word](settings[name]) for name in _named(rest, settings)}
    if word in _VALUED and (len(rest) == 1 or word == _FREE):
        return dict.fromkeys(settings, _VALUED[word](" ".join(rest)))
    if word in _ALONE and not rest:
        return dict.fromkeys(settings, _ALONE[word]())
    if word in WORDS:
        raise OrderWordsError(f"expected {word}{' VALUE' if word in _VALUED else ''} alone")
    raise OrderWordsError(f"unknown command {word!r}; choose from {', '.join(WORDS)}")


def _read_coming(
    word: str, words: Sequence[str], settings: Mapping[str, VariantSettings], find: Find
) -> Commands:
    first = next((k for k, each in enumerate(words) if _setting(each) in SETTINGS), len(words))
    before, changes = list(words[:first]), _changes(words[first:])
    if word == "remove":
        return {_one_named(before, settings, word): Remove(id=0)}
    if word == "new":
        name = _one_named(before or [next(iter(settings))], settings, word)
        return {name: Add(id=0, settings=replace(settings[name], **changes))}
    if not before:
        raise OrderWordsError(f"{word} requires a batch: {word} [VARIANT] BATCH")
    name = _one_named(before[:-1], settings, word)
    batches = whole(0)(before[-1].replace(",", ""))
    reached = find(name, batches)
    if word == "rewind":
        wanted = replace(settings[name], **changes)
        return {name: Rewind(id=0, settings=wanted, batches=batches)}
    return {name: Fork(id=0, settings=replace(reached.settings, **changes), batches=batches)}


def _setting(word: str) -> str:
    return word.lower().removeprefix("--")


def _changes(words: Sequence[str]) -> dict[str, Any]:
    """The values of settings, as fields: "batch-size 256 lr 0.1"."""
    if len(words) % 2:
        raise OrderWordsError(f"{words[-1]} requires a value")
    found = {}
    for word, value in zip(words[::2], words[1::2], strict=True):
        if (name := _setting(word)) not in SETTINGS:
            raise OrderWordsError(f"unknown setting {word!r}; choose from {', '.join(SETTINGS)}")
        found[FIELDS.get(name, name.replace("-", "_"))] = SETTINGS[name](value)
    return found


def _one_named(words: Sequence[str], settings: Mapping[str, VariantSettings], word: str) -> str:
    """The only variant that these words name, or the only one there is."""
    names = _named(words, settings)
    if len(names) > 1:
        raise OrderWordsError(f"{word} takes one variant; choose from {', '.join(names)}")
    return names[0]


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
