"""The words of `gdtui send` that let variants come, go back and go."""

from typing import Any

import pytest
from msgspec.structs import replace

from engine.log.commands import Add, Answer, AnyCommand, Fork, Remove, Rewind, TypeText
from engine.log.lineage.points import PointError, Reached
from engine.settings import VariantSettings
from gdtui.cli.commands.control import orders

FULL, SGD = VariantSettings(batch_size="full"), VariantSettings(batch_size=1, lr=0.5)
BEFORE = replace(SGD, lr=0.25)
"""The settings in force at every point."""


def find(name: str, batches: int) -> Reached:
    if batches > 1_200:
        raise PointError(f"{name} has trained 1,200 batches so far, not {batches:,}")
    return Reached(name, None, BEFORE, None)


def read(*lines: str) -> list[dict[str, AnyCommand]]:
    typed = [line.split() for line in lines]
    settings = {"Full batch": FULL, "SGD": SGD}
    return [dict(each) for each in orders.read(typed, settings, find)]


@pytest.mark.parametrize(
    ("line", "name", "command"),
    [
        ("fork 2 1200 batch-size 256", "SGD",
         Fork(id=0, settings=replace(BEFORE, batch_size=256), batches=1_200)),
        ("fork sgd 1,200", "SGD", Fork(id=0, settings=BEFORE, batches=1_200)),
        ("rewind Full batch 7 --lr 0.1 accumulation 2", "Full batch",
         Rewind(id=0, settings=replace(FULL, lr=0.1, accumulation_steps=2), batches=7)),
        ("new", "Full batch", Add(id=0, settings=FULL)),
        ("new SGD momentum 0.9", "SGD", Add(id=0, settings=replace(SGD, momentum=0.9))),
        ("remove 1", "Full batch", Remove(id=0)),
    ],
)  # fmt: skip
def test_words_become_a_command(line: str, name: str, command: Any) -> None:
    assert read(line) == [{name: command}]


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("answer same", Answer(id=0, choice="same")),
        ("type", TypeText(id=0, data=b"\r")),
        ("type p loss", TypeText(id=0, data=b"p loss\r")),
    ],
)
def test_a_program_is_answered_and_typed_to(line: str, command: Any) -> None:
    assert read(line) == [{"Full batch": command, "SGD": command}]


@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        ("answer perhaps", "choose from another, same, ignore"),
        ("fork 2", "fork takes one variant"),
        ("fork", "fork requires a batch"),
        ("fork 100", "fork takes one variant; choose from Full batch, SGD"),
        ("fork 2 2000", "SGD has trained 1,200 batches so far, not 2,000"),
        ("rewind SGD x", "whole number"),
        ("fork SGD 100 lr", "lr requires a value"),
        ("fork SGD 100 lr 0.1 seed 3", "unknown setting 'seed'"),
        ("fork SGD 100 lr -1", "lr -1"),
        ("remove", "remove takes one variant"),
        ("remove nobody", "no variant 'nobody'"),
    ],
)
def test_mistakes_are_told(line: str, trouble: str) -> None:
    with pytest.raises(orders.OrderWordsError, match=trouble):
        read(line)


def test_a_change_starts_from_the_settings_of_a_rewind() -> None:
    first, second = read("rewind SGD 3 lr 2", "momentum SGD 0.5")
    assert second["SGD"].settings == replace(SGD, lr=2, momentum=0.5)  # type: ignore[union-attr]
    assert first["SGD"] != second["SGD"]
