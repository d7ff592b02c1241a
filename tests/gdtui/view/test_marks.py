"""The mark where a generation goes on says how it came about."""

import pytest
from lineage import chunk, feed, origin, started, store_of
from msgspec.structs import replace

from engine.log.records.worker import SCRIPT
from engine.programs import PROGRAM
from gdtui.view.charts.marks import marks_of
from gdtui.view.view_state import ViewState


@pytest.mark.parametrize(
    ("described", "word"),
    [
        ({}, "rewound"),
        ({"model": SCRIPT}, "resumed"),
        ({"model": SCRIPT, "device": PROGRAM}, "same training"),
    ],
)
def test_the_word_is_that_of_a_rewind_or_of_a_script(described: dict[str, str], word: str) -> None:
    store = store_of("a")
    feed(store, "a", started(), chunk(1, 9))
    feed(store, "a", replace(started(2, origin(5)), **described), chunk(6, 9, 2))
    one = store.variants["a"]
    assert one.current is not None
    assert [(mark.x, mark.label) for mark in marks_of(one, one.current, ViewState())] == [(5, word)]
