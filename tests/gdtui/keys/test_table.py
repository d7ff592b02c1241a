"""The key table: no key twice, a list that has every entry."""

import pytest

from gdtui.keys import table as keys


def test_no_key_is_bound_twice() -> None:
    bound = [stroke.key for entry in keys.TABLE for stroke in entry.strokes]
    assert len(bound) == len(set(bound))


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
