"""Names in fewer cells, told apart where that can be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdtui.chart.scene.shortening import shortened


@pytest.mark.parametrize(
    ("names", "cells", "told"),
    [
        (("SGD", "Batch GD"), 9, ("SGD", "Batch GD")),
        (("Batch GD", "Mini-batch 512"), 9, ("Batch GD", "Mini-batc")),
        (("Mini-batch 32", "Mini-batch 512"), 9, ("Mini…h 32", "Mini… 512")),
        (("a: Mini-batch", "b: Mini-batch"), 6, ("a: Min", "b: Min")),
        (("wide: SGD", "wide: Adam"), 7, ("wide: S", "wide: A")),
        (("experiment: SGD", "experiment: GD"), 9, ("expe… SGD", "expe…: GD")),
    ],
)
def test_names(names: tuple[str, ...], cells: int, told: tuple[str, ...]) -> None:
    assert shortened(names, cells) == told


@given(st.lists(st.text("ab: ", max_size=12), max_size=6, unique=True), st.integers(1, 14))
def test_they_fit_and_short_ones_stay(names: list[str], cells: int) -> None:
    told = shortened(tuple(names), cells)
    assert all(len(name) <= cells for name in told)
    assert all(
        short.rstrip() == name.rstrip()
        for short, name in zip(told, names, strict=True)
        if len(name) <= cells
    )
