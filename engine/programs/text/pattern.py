"""The user's regular expression, whose named groups are the numbers of a line."""

import re

from engine.programs.text.names import Meaning, meaning
from engine.programs.text.numerals import count, number
from engine.programs.text.printed import Form, Printed


class PatternError(ValueError):
    """A regular expression that cannot be used; the message says why."""


def compile_pattern(text: str) -> re.Pattern[str]:
    """The regular expression; PatternError if it is invalid or has no group for the loss."""
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise PatternError(f"it is not a regular expression: {error}") from None
    if not any(meaning(name).is_loss for name in pattern.groupindex):
        raise PatternError("it has no group for the loss, such as (?P<loss>[0-9.]+)")
    return pattern


def parse_pattern(pattern: re.Pattern[str], text: str) -> Printed | None:
    """The numbers of a text that the pattern matches; None if it does not match."""
    found = pattern.search(text)
    if found is None:
        return None
    values: dict[str, float] = {}
    step: int | None = None
    epoch: float | None = None
    for name, part in found.groupdict().items():
        if part is None:
            continue
        try:
            value = number(part.strip())
        except ValueError:
            continue
        kind = meaning(name)
        if kind is Meaning.STEP:
            step = count(part.strip())
        elif kind is Meaning.EPOCH:
            epoch = value
        else:
            values[name] = value
    return Printed(Form.PATTERN, values, step, epoch=epoch) if values else None
