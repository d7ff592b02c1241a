"""The README says what the program does: the key table's keys, pictures that exist."""

import re
from pathlib import Path

from gdtui.keys import table as keys

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_keys_are_those_of_the_table() -> None:
    """Mend it with `python -c "from gdtui.keys import table; print(table.markdown())"`."""
    listed = re.search(r"<!-- keys -->\n(.*)<!-- end of keys -->", README, re.DOTALL)
    assert listed is not None
    assert listed[1].strip() == keys.markdown().strip()


def test_every_picture_is_there_and_every_picture_is_shown() -> None:
    shown = set(re.findall(r"\(screenshots/([\w-]+\.png)\)", README))
    assert shown == {path.name for path in (ROOT / "screenshots").glob("*.png")}


def test_it_is_short() -> None:
    """The rest stands in the pages of `gdtui docs`."""
    assert len(README.splitlines()) <= 250
