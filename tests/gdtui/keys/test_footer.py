"""The footer: what matters first, what makes sense now, and a line that fits."""

import pytest

from engine.settings import LrScaling
from gdtui.keys.footer import FooterState as At
from gdtui.keys.footer import footer_entries
from gdtui.keys.table import TABLE

WATCHED = frozenset[str]()
FIRST = At(variants=3, folds=True)


def ids(width: int, state: At) -> list[str]:
    return [entry.id for entry in footer_entries(width, state)]


def text(width: int, state: At) -> str:
    return "  ".join(f"{entry.keys} {entry.label}" for entry in footer_entries(width, state))


def test_the_first_screen_offers_what_the_lesson_is_about() -> None:
    said = (
        "S make curves meet  [ ] batch  , . lr  u accumulate  space pause  e explain  ? help  "
        "q quit"
    )
    assert text(158, FIRST) == said
    assert len(said) > 78
    assert text(78, FIRST) == said.replace("  space pause", "")


@pytest.mark.parametrize("width", [0, 6, 10, 20, 40, 80, 158, 400])
@pytest.mark.parametrize(
    "state",
    [
        FIRST,
        At(variants=9, can_undo=True, is_selected=True, has_moved=True, is_known=True),
        At(variants=2, has_ended=True, is_paused=True, is_in_trouble=True, has_ghosts=True),
        At(variants=3, obeyed=frozenset({"pause", "pace", "free"}), has_metrics=True),
    ],
)
def test_it_fits_and_names_nothing_twice(width: int, state: At) -> None:
    assert len(text(width, state)) <= width
    assert len(ids(width, state)) == len(set(ids(width, state)))
    assert all(entry.label for entry in footer_entries(width, state))


def test_the_way_to_help_and_out_stays_to_the_last() -> None:
    assert ids(14, FIRST) == ["help", "quit"]
    assert ids(6, FIRST) == ["quit"]


@pytest.mark.parametrize(
    ("state", "first"),
    [
        (At(variants=3, can_undo=True), ["batch", "lr", "undo", "accumulate"]),
        (At(variants=3, is_paused=True), ["pause", "step"]),
        (
            At(variants=3, has_ended=True),
            ["scaling.restart", "restart", "extend", "summary"],
        ),
        (At(variants=3, is_selected=True), ["batch", "lr", "edit", "momentum"]),
        (At(variants=3, is_selected=True, can_undo=True), ["batch", "lr", "undo", "edit"]),
        (At(variants=3, has_moved=True), ["cursor", "zoom", "pan", "window", "hide"]),
        (At(variants=3, is_in_trouble=True, can_undo=True), ["lr", "undo", "restart"]),
        (At(variants=3, obeyed=WATCHED), ["axis", "zoom", "cursor", "focus"]),
        (
            At(obeyed=frozenset({"pause", "pace", "free"})),
            ["pause", "pace", "free", "axis"],
        ),
    ],
)
def test_what_makes_sense_now_comes_first(state: At, first: list[str]) -> None:
    assert ids(158, state)[: len(first)] == first


def test_a_watcher_is_offered_nothing_that_only_the_trainer_can_do() -> None:
    state = At(
        variants=3, obeyed=WATCHED, has_ended=True, is_selected=True, is_paused=True, is_known=True
    )
    assert not {"batch", "lr", "restart", "extend", "undo", "pause"} & set(ids(400, state))


def test_every_label_of_the_table_has_its_moment() -> None:
    moments = [
        At(variants=3, can_undo=True, is_selected=True, is_known=True, has_ghosts=True),
        At(has_metrics=True),
        At(has_question=True, takes_text=True),
        At(variants=3, has_moved=True, has_crosshair=True, is_paused=True),
        At(variants=3, has_ended=True),
        At(obeyed=frozenset({"pause", "pace", "free"})),
    ]
    shown = {name for moment in moments for name in ids(1_000, moment)}
    assert shown == {entry.id for entry in TABLE if entry.label}


def test_labels_follow_the_state() -> None:
    assert "space resume" in text(158, At(is_paused=True))
    assert text(158, At(next_rule=LrScaling.SQRT, folds=True)).startswith("S lr ∝ √batch  ")
    assert text(158, At(next_rule=LrScaling.NONE)).index("S one lr for all  ")
    assert "u accumulate  S lr ∝ batch  " in text(158, At()), "one variant folds with nothing"


@pytest.mark.parametrize(
    ("variants", "shown"),
    [(1, []), (2, ["1 2 0"]), (3, ["1…3 0"]), (9, ["1…9 0"]), (12, ["1…9 0"])],
)
def test_it_offers_the_variants_that_there_are(variants: int, shown: list[str]) -> None:
    state = At(variants=variants, is_known=True)
    assert [e.keys for e in footer_entries(400, state) if e.id == "select"] == shown
