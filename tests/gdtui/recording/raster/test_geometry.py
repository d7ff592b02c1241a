"""Braille, blocks and boxes as pixels: they fill their cells and meet across their edges."""

import numpy as np
import pytest

from gdtui.recording.raster.geometry import INK, Glyph, box_arms, drawn

SIZES = [(8, 16), (7, 15), (13, 26), (3, 5)]


def glyph(character: str, width: int = 8, height: int = 16) -> Glyph:
    found = drawn(character, width, height)
    assert found is not None
    assert found.shape == (height, width)
    return found


def test_each_dot_of_braille_stands_in_its_place() -> None:
    full = glyph("⣿")
    assert np.array_equal(full, sum(glyph(chr(0x2800 + (1 << bit))) for bit in range(8)))
    assert not glyph("⠀").any()
    assert glyph("⠁")[:4, :4].any()
    assert glyph("⢀")[12:, 4:].any()
    assert (full[:, :4] == full[:, 4:]).all(), "dots are as far apart within a cell as between two"


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_blocks_cover_their_share(width: int, height: int) -> None:
    def share(character: str) -> float:
        return float(glyph(character, width, height).mean() / INK)

    assert share("█") == 1
    assert share("▀") + share("▄") == pytest.approx(1, abs=1 / height)
    assert [share(each) for each in "░▒▓"] == [0.25, 0.5, 0.75]
    assert share("▂") <= share("▄") <= share("▆") <= share("█")
    assert share("▏") <= share("▍") <= share("▌") <= share("█")
    assert np.array_equal(
        glyph("▚", width, height) + glyph("▞", width, height), glyph("█", width, height)
    )


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("place", range(128))
def test_boxes_reach_the_edges_that_their_arms_lead_to(place: int, width: int, height: int) -> None:
    character = chr(0x2500 + place)
    if character in "╱╲╳":
        assert drawn(character, width, height) is None
        return
    box = glyph(character, width, height)
    left, right, up, down = (int(each) for each in box_arms()[4 * place : 4 * place + 4])
    is_dashed = "╌" <= character <= "╏" or "┄" <= character <= "┋"
    edges = (box[:, 0], box[:, -1], box[0], box[-1])
    for weight, edge in zip((left, right, up, down), edges, strict=True):
        assert bool(edge.any()) == bool(weight) or is_dashed or width < 5


@pytest.mark.parametrize(
    ("character", "arms"),
    [
        *(("─", "1100"), ("┃", "0022"), ("┌", "0101"), ("╭", "0101"), ("┼", "1111")),
        *(("═", "3300"), ("╬", "3333"), ("╒", "0301"), ("┝", "0211"), ("╼", "1200")),
        *(("┾", "1211"), ("╈", "2212"), ("┄", "1100"), ("╏", "0022"), ("╲", "0000")),
    ],
)
def test_arms_are_read_from_unicodes_names(character: str, arms: str) -> None:
    place = ord(character) - 0x2500
    assert box_arms()[4 * place : 4 * place + 4] == arms


def test_letters_are_left_to_a_font() -> None:
    assert drawn("a", 8, 16) is None
    assert drawn("▲", 8, 16) is None
