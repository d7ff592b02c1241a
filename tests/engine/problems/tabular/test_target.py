"""Targets by their values."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.problems.tabular.location import FileLocation
from engine.problems.tabular.target import TargetKind, read_target

PLACE = FileLocation(path=Path("f"))


@pytest.mark.parametrize(
    ("values", "are_labels", "kind"),
    [
        ([0.0, 1.0] * 5, False, TargetKind.TWO_CLASSES),
        ([3.5, -1.0] * 5, False, TargetKind.TWO_CLASSES),
        (["yes", "no"] * 5, False, TargetKind.TWO_CLASSES),
        ([True, False] * 5, False, TargetKind.TWO_CLASSES),
        (["a", "b", "c"] * 5, False, TargetKind.CLASSES),
        ([0.0, 1.0, 2.0] * 5, False, TargetKind.CLASSES),
        ([1, 2, 3] * 5, False, TargetKind.CLASSES),
        ([3, 4, 5] * 5, False, TargetKind.NUMBER),
        ([0, 2, 4] * 5, False, TargetKind.NUMBER),
        ([0, 2, 4] * 5, True, TargetKind.CLASSES),
        ([0.5, 1.0, 2.0] * 5, False, TargetKind.NUMBER),
        (list(range(21)) * 5, False, TargetKind.NUMBER),
        (list(range(21)) * 5, True, TargetKind.CLASSES),
    ],
)
def test_two_classes_more_or_numbers(values: list[Any], are_labels: bool, kind: TargetKind) -> None:
    assert read_target(np.array(values), PLACE, are_labels=are_labels).kind is kind


def test_classes_are_numbered_in_ascending_order_and_keep_their_names() -> None:
    target = read_target(np.array(["b", "a", "c", "a", "b", "c"]), PLACE)
    assert target.values.tolist() == [1, 0, 2, 0, 1, 2]
    assert target.classes == ("a", "b", "c")
