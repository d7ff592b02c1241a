"""The line of progress: all of it where there is room, and never more than fits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from gdtui.view.text.progress.line import CommandProgress, in_ascii, line, sentence

HALF = CommandProgress(
    share=0.48, elapsed=42, left=46.2, activities=("Batch GD 12/20 · SGD 3/20", "SGD 3/20")
)


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (85, "train  ━━━━━━━━━───────────  48% · 00:42 · 00:46 left · Batch GD 12/20 · SGD 3/20"),
        (75, "train  ━━━━──────  48% · 00:42 · 00:46 left · Batch GD 12/20 · SGD 3/20"),
        (65, "train  48% · 00:42 · 00:46 left · Batch GD 12/20 · SGD 3/20"),
        (55, "train  ━━━━──────  48% · 00:42 · 00:46 left · SGD 3/20"),
        (40, "train  48% · 00:42 · 00:46 left"),
        (24, "48% · 00:42 · 00:46 left"),
        (20, "48% · 00:46 left"),
        (12, "00:46 left"),
        (5, "00:42"),
        (4, "48%"),
        (2, ""),
    ],
)
def test_it_shows_as_much_as_fits(width: int, expected: str) -> None:
    assert line("train", HALF, width) == expected


def test_at_first_it_says_that_the_time_is_being_estimated() -> None:
    start = CommandProgress(share=0.0, elapsed=0.4, left=None, activities=("starting",))
    assert line("sweep", start, 79).endswith("0% · 00:00 · estimating… · starting")
    assert sentence(start) == "0% · 00:00 · estimating… · starting"


def test_work_without_an_end_has_only_the_time_that_it_took() -> None:
    endless = CommandProgress(share=None, elapsed=3723, left=None, activities=("epoch 7",))
    assert line("train", endless, 79) == "train  1:02:03 · epoch 7"


def test_days_are_said_as_days() -> None:
    long = CommandProgress(share=0.01, elapsed=86_400, left=99 * 86_400.0, activities=())
    assert "99 days left" in line("train", long, 79)


def test_nobody_is_told_100_percent_before_the_end() -> None:
    almost = CommandProgress(share=0.9999, elapsed=1, left=0.1, activities=())
    assert "99%" in sentence(almost)


def test_a_terminal_without_utf_8_gets_ascii() -> None:
    assert in_ascii(line("train", HALF, 60)) == (
        "train  48% | 00:42 | 00:46 left | Batch GD 12/20 | SGD 3/20"
    )
    assert in_ascii("━─…é") == "#-...?"


@given(
    st.integers(0, 200), st.floats(0, 1), st.floats(0, 1e7), st.none() | st.floats(0, 1e9),
    st.lists(st.text(max_size=60), max_size=3),
)  # fmt: skip
def test_it_never_needs_more_cells_than_there_are(
    width: int, share: float, elapsed: float, left: float | None, activities: list[str]
) -> None:
    progress = CommandProgress(
        share=share, elapsed=elapsed, left=left, activities=tuple(activities)
    )
    assert cell_len(line("experiment", progress, width)) <= width
