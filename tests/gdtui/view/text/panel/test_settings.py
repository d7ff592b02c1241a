"""The settings of a panel in one line, with the keys that change them."""

import pytest
from msgspec.structs import replace
from plain_chunks import plain_chunk

from engine.log.records.chunk import packed
from engine.log.summary import Tally
from engine.programs import PROGRAM
from engine.settings import (
    FULL,
    BatchSize,
    LossAudit,
    LossKind,
    LrScaling,
    LrSchedule,
    Precision,
    VariantSettings,
)
from gdtui.keys.table import TABLE
from gdtui.state.variant import VariantState
from gdtui.view.text.panel.settings import settings as in_words

KEYED = {"batch", "lr", "accumulation", "momentum"}


@pytest.mark.parametrize("size", [FULL, 64, 1])
def test_the_settings_of_a_panel_are_cut_nowhere(size: BatchSize) -> None:
    """A panel of three has 49 columns on a screen of 160."""
    settings = VariantSettings(
        batch_size=size,
        lr_scaling=LrScaling.LINEAR,
        accumulation_steps=16,
        momentum=0.9,
        optimizer="SGD",
    )
    one = VariantState(0, Tally("a", settings, n=2000))
    said = in_words(one, 49)
    assert said.cell_length <= 49
    for word in ("batch", "linear", "×16", "mom 0.9"):
        assert word in said.plain


def test_a_wide_panel_says_what_the_lr_was_scaled_from() -> None:
    one = VariantState(
        0, Tally("a", VariantSettings(lr_scaling=LrScaling.LINEAR, batch_size=32), n=2000)
    )
    assert in_words(one, 49).plain == "batch 32 · lr 0.005 (linear from 0.01)"


def test_what_is_put_together_and_is_not_the_big_batch_is_marked() -> None:
    settings = VariantSettings(batch_size=8, accumulation_steps=8)
    for kind, marked in ((LossKind.BATCH, True), (LossKind.EXACT, False)):
        audit = LossAudit(kind=kind, gap=0.4, samples=16, part=4)
        one = VariantState(0, Tally("a", settings, n=2000, audit=audit))
        assert ("accum ×8 · not the big batch" in in_words(one, 60).plain) is marked
        assert ("×8 · ≠" in in_words(one, 30).plain) is marked


def test_a_recipe_is_told_with_what_it_did_to_updates() -> None:
    settings = VariantSettings(
        lr=0.1, schedule=LrSchedule.COSINE, warmup=0.1, clip=1.0, precision=Precision.FP16
    )
    tally = Tally("a", settings, n=2000)
    lrs = packed([0.05 / (1 + k) for k in range(10)])
    tally.add(replace(plain_chunk(1, 10), lr=lrs, clipped=4, skipped=1))
    said = in_words(VariantState(0, tally), 120).plain
    assert "lr 0.005 (warm-up + cosine from 0.1)" in said
    assert "clip 1 (40% clipped)" in said
    assert "precision fp16 (1 skipped)" in said
    tally.add(replace(plain_chunk(11, 10), lr=0.02))
    assert "clip 1 (20% clipped)" in in_words(VariantState(0, tally), 120).plain


def test_settings_carry_their_keys_where_there_is_room() -> None:
    tally = Tally("a", VariantSettings(momentum=0.9, accumulation_steps=2), n=2000)
    one = VariantState(0, tally)
    without = "batch 64 · lr 0.01 · accum ×2 · momentum 0.9"
    assert in_words(one, 49).plain == without
    assert in_words(one, 49, has_keys=True).plain == without
    said = in_words(one, 80, has_keys=True)
    assert said.plain == "batch 64 [ ] · lr 0.01 , . · accum ×2 A a · momentum 0.9 m"
    keys = {text.strip() for text, style in said.parts if "key" in style}
    assert keys == {entry.keys for entry in TABLE if entry.id in KEYED}


def test_the_lr_of_a_program_is_the_one_it_printed_last() -> None:
    unknown = ("samples", "batch_size", "accumulation_steps")
    tally = Tally("a", VariantSettings(), n=2000, device=PROGRAM, assumed=unknown)
    tally.add(replace(plain_chunk(1, 2), lr=packed([0.3, 0.2])))
    assert in_words(VariantState(0, tally), 49).plain == "lr 0.2"
