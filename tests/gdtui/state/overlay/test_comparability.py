"""Runs with a problem or a start in common, and others."""

import pytest
from msgspec.structs import replace

from engine.settings import DataSettings, RunSettings, Variant, VariantSettings
from gdtui.state.overlay.comparability import (
    comparability_note,
    have_one_problem,
    have_one_start,
    problem_titles,
)

RUN = RunSettings(variants=(Variant(name="SGD", settings=VariantSettings()),))
TABLE = replace(RUN, problem="table", data=DataSettings(path="/d/rents.csv", target="rent"))


@pytest.mark.parametrize(
    ("other", "one_problem", "one_start"),
    [
        (RUN, True, True),
        (replace(RUN, epochs=99, pace=2.0, device="cuda", measuring=False), True, True),
        (replace(RUN, seed=7), True, False),
        (replace(RUN, problem="digits"), False, False),
        (TABLE, False, False),
    ],
)
def test_runs_beside_the_lessons(other: RunSettings, one_problem: bool, one_start: bool) -> None:
    assert have_one_problem([RUN, other]) is one_problem
    assert have_one_start([RUN, other]) is one_start
    assert (comparability_note([RUN, other]) == "") is one_problem


@pytest.mark.parametrize(
    ("change", "one_problem", "one_start"),
    [
        ({}, True, True),
        ({"model": "mlp:64"}, True, False),
        ({"validation": 0.5}, True, False),
        ({"target": "rooms"}, False, False),
        ({"path": "/d/other.csv"}, False, False),
    ],
)
def test_runs_on_a_file(change: dict[str, object], one_problem: bool, one_start: bool) -> None:
    other = replace(TABLE, data=replace(TABLE.data, **change))
    assert have_one_problem([TABLE, other]) is one_problem
    assert have_one_start([TABLE, other]) is one_start


def test_the_problems_are_named_once_each() -> None:
    runs = [RUN, replace(RUN, problem="digits"), RUN, TABLE]
    assert problem_titles(runs) == ["synthetic", "digits", "rents.csv"]
    assert "synthetic, digits, rents.csv" in comparability_note(runs)
    assert problem_titles([RUN, RUN]) == ["synthetic"]
