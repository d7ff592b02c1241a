"""The key table: no key twice, a footer that fits, a list that has every entry."""

import pytest

from gdtui.keys import table as keys


def test_no_key_is_bound_twice() -> None:
    bound = [stroke.key for entry in keys.TABLE for stroke in entry.strokes]
    assert len(bound) == len(set(bound))


def test_the_footer_keeps_what_matters_most_and_fits() -> None:
    for width in (10, 20, 40, 80, 158, 400):
        entries = keys.footer_entries(width, 3)
        used = sum(len(entry.keys) + 1 + len(entry.label) for entry in entries) + 2 * (
            len(entries) - 1
        )
        assert used <= width or not entries
    assert [entry.id for entry in keys.footer_entries(16, 3)] == ["help", "quit"]
    assert len(keys.footer_entries(400, 3)) == sum(bool(entry.label) for entry in keys.TABLE)


@pytest.mark.parametrize(
    ("variants", "shown"),
    [(1, []), (2, ["1 2 0"]), (3, ["1…3 0"]), (9, ["1…9 0"]), (12, ["1…9 0"])],
)
def test_the_footer_offers_the_variants_that_there_are(variants: int, shown: list[str]) -> None:
    assert [e.keys for e in keys.footer_entries(400, variants) if e.id == "select"] == shown


@pytest.mark.parametrize(("variants", "most"), [(1, 1), (3, 3), (12, 9)])
def test_the_palette_offers_the_variants_that_there_are(variants: int, most: int) -> None:
    titles = [stroke.title for _, stroke in keys.reachable(variants)]
    chosen = [title for title in titles if title.startswith("Select variant")]
    assert chosen == [f"Select variant {place}" for place in range(1, most + 1)]
    assert "Select all variants" in titles
    assert len(titles) == sum(len(entry.strokes) for entry in keys.TABLE) - (9 - most)


def test_the_readmes_list_has_every_entry() -> None:
    text = keys.markdown()
    for entry in keys.TABLE:
        assert entry.help in text
