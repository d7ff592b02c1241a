"""Predict the next character: a tiny transformer on a text, by default Python's documentation.

The last part of the text is held out. A sample is a window of CONTEXT characters; its target is the
same window shifted by one character, so that every position is a prediction.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from engine.problem import Problem
from engine.problems.parts.factories import TransformerFactory
from engine.problems.parts.losses import accuracy, class_loss
from engine.problems.parts.transformer import CONTEXT
from engine.problems.tabular.location import FileLocation, check_readable
from engine.problems.tabular.memory import as_text, check_fits
from engine.problems.tabular.reading.encoding import encoding_of, undecodable
from engine.settings import VALIDATION_SHARE, DataSettings, SettingsError

_MOST_CHARACTERS: Final = 255
"""Most distinct characters: the most frequent ones; all others share one more number."""
_LEAST_WINDOWS: Final = 10
_BYTES_A_CHARACTER: Final = 16
"""Memory per character: a number in a list, and one in a tensor."""

Windows = tuple[Tensor, Tensor]


def make(seed: int, data: DataSettings | None = None) -> Problem:
    """The problem with the text of the file (UTF-8), or the documentation of Python's language.

    Raises SettingsError for a file that cannot be read, is not text, or is too short. The split
    does not depend on the seed, which only fixes the initial weights and the order.
    """
    text = _documentation() if data is None else _read(data)
    share = VALIDATION_SHARE if data is None or data.validation is None else data.validation
    characters, train, validation = windows(text, share)
    if data is not None and (len(train[0]) < _LEAST_WINDOWS or (share and not len(validation[0]))):
        least = _LEAST_WINDOWS * (CONTEXT + 1) / min(1 - share, share or 1)
        raise FileLocation(path=Path(data.path)).wrong(
            f"{len(text):,} characters are too few; at least {least:,.0f}"
        )
    return Problem(
        train=train,
        validation=validation if share else None,
        model=TransformerFactory(characters=characters),
        loss=class_loss,
        metrics={"accuracy": accuracy},
        notes=() if data is None else tuple(_folded(text, Path(data.path).name)),
    )


def _folded(text: str, name: str) -> Iterator[str]:
    """A note on the characters that share one number, since each of them counts as any other."""
    counts = Counter(text)
    rare = len(text) - sum(count for _, count in counts.most_common(_MOST_CHARACTERS))
    if rare:
        yield (
            f"{name}: {100 * rare / len(text):.2g}% of its characters are rarer than the "
            f"{_MOST_CHARACTERS} most frequent of {len(counts):,}: all of them count as one, and "
            "any of them as right"
        )


def windows(text: str, validation_share: float) -> tuple[int, Windows, Windows]:
    """Number of distinct characters, and the windows (n, CONTEXT) with targets of both parts."""
    end = round(len(text) * (1 - validation_share))
    frequent = Counter(text[:end]).most_common(_MOST_CHARACTERS)
    numbers = {character: number for number, (character, _) in enumerate(frequent, start=1)}
    codes = torch.tensor([numbers.get(character, 0) for character in text])
    return len(numbers) + 1, _cut(codes[:end]), _cut(codes[end:])


def _cut(codes: Tensor) -> Windows:
    """Windows that do not overlap, and the same windows shifted by one character.

    An incomplete last window is left out.
    """
    count = max((len(codes) - 1) // CONTEXT, 0)
    used = count * CONTEXT
    return codes[:used].view(count, CONTEXT), codes[1 : used + 1].view(count, CONTEXT)


def _documentation() -> str:
    """The texts of `help()` on the language's topics, about half a million characters."""
    try:
        from pydoc_data.topics import topics
    except ImportError:  # some distributions put it in a separate package
        raise SettingsError(
            "this Python comes without its documentation; use --data FILE.txt"
        ) from None
    return "\n".join(topics[name] for name in sorted(topics))


def _read(data: DataSettings) -> str:
    location = FileLocation(path=Path(data.path), unit="line")
    check_readable(location.path)
    size = location.path.stat().st_size
    check_fits(location, _BYTES_A_CHARACTER * size, f"a text of {as_text(size)}")
    encoding = encoding_of(location, data.encoding)
    try:
        return location.path.read_bytes().decode(encoding)
    except UnicodeDecodeError:
        raise undecodable(location, encoding) from None
