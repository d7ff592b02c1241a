"""The crosshair's readout, as text of a given width."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdtui.history import BatchInfo
from gdtui.view.text import crosshair

INFO = BatchInfo(
    batch=12_345, update=6_173, epoch=7, samples=12_344, seconds=1.5691, batch_size=64, loss=0.1664,
    smoothed=0.3159, lr=0.0078125, accumulation_steps=2,
)  # fmt: skip

infos = st.builds(
    BatchInfo,
    batch=st.integers(1, 10**9),
    update=st.integers(1, 10**9),
    epoch=st.integers(1, 10**6),
    samples=st.integers(0, 10**12),
    seconds=st.floats(0, 1e7),
    batch_size=st.integers(1, 10**7),
    loss=st.floats(),
    smoothed=st.floats(),
    lr=st.floats(1e-9, 1e3),
    accumulation_steps=st.integers(1, 1024),
)


def test_a_wide_panel_names_everything() -> None:
    assert crosshair.settings(INFO, 49).plain.split() == [
        "size",
        "64×2",
        "lr",
        "0.00781",
        "seconds",
        "1.5691",
    ]
    first, second = crosshair.figures(INFO, 49).plain.split("\n")
    assert first.split() == ["loss", "0.166", "batch", "12,345", "epoch", "7"]
    assert second.split() == ["smooth", "0.316", "update", "6,173", "samples", "12,344"]


def test_a_narrow_panel_has_the_same_figures() -> None:
    text = crosshair.settings(INFO, 29).plain + "\n" + crosshair.figures(INFO, 29).plain
    for figure in ("64×2", "0.00781", "1.569", "0.166", "0.316", "12,345", "6,173", "12,344", "7"):
        assert figure in text


@given(infos, st.integers(29, 160))
def test_the_columns_of_a_panel_keep_their_places(info: BatchInfo, width: int) -> None:
    cell = min((width - 4) // 3, 18)
    for row in (crosshair.settings(info, width), *crosshair.figures(info, width).split("\n")):
        text = row.plain
        if all(len(part) <= cell for part in text.split()):
            assert len(text) == 3 * cell + 4
            assert text[cell : cell + 2] == text[2 * cell + 2 : 2 * cell + 4] == "  "


def test_a_line_of_eighty_cells_has_room_for_everything_below_its_heading() -> None:
    width = 63
    text, heading = crosshair.line(INFO, width).plain, crosshair.heading(width).rjust(width)
    assert heading.split() == [
        "batch",
        "update",
        "ep",
        "samples",
        "sec",
        "loss",
        "smooth",
        "size",
        "lr",
    ]
    assert text.split() == [
        "12,345",
        "6,173",
        "7",
        "12,344",
        "1.569",
        "0.166",
        "0.316",
        "64×2",
        "0.00781",
    ]
    ends = [[match.end() for match in re.finditer(r"\S+", line)] for line in (heading, text)]
    assert ends[0] == ends[1]


@pytest.mark.parametrize("width", [0, 7, 20, 40, 63, 120])
def test_a_line_keeps_its_width_and_its_loss_longest(width: int) -> None:
    assert crosshair.line(INFO, width).cell_length == width
    assert crosshair.line(None, width).cell_length >= min(width, 13)
    assert ("loss" in crosshair.heading(width)) == (width >= 7)


def test_large_numbers_are_exact_while_they_fit() -> None:
    info = replace(
        INFO, batch=999_999, samples=1_234_567_890, batch_size=131_072, accumulation_steps=1
    )
    text = crosshair.line(info, 63).plain
    assert "999,999" in text
    assert "1.23G" in text
    assert "131072" in text
