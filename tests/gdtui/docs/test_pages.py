"""The pages fit a terminal, their links lead somewhere, and what they name exists."""

import re
from pathlib import Path

import pytest
from pages import ALL, DOCS, PAGES, README, ROOT, anchors, code_blocks, links, prose_of, text_of

from gdtui.keys.table import groups

WIDTH = 100
CODE_WIDTH = 75
"""Columns of code that a terminal of 80 shows whole."""


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_lines_are_short(page: Path) -> None:
    lines = [line for line in text_of(page).splitlines() if not line.startswith("python3 -m venv")]
    assert [line for line in lines if len(line) > WIDTH] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_fits_into_a_terminal(page: Path) -> None:
    blocks = [
        block
        for language in ("sh", "python", "text", "toml")
        for block in code_blocks(page, language)
    ]
    assert [line for block in blocks for line in block.splitlines() if len(line) > CODE_WIDTH] == []
    assert text_of(page).count("```") == 2 * len(blocks)


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_link_to_pages_only(page: Path) -> None:
    """They ship with the package: nothing else of the repository is beside them."""
    paths = {link.partition("#")[0] for link in links(page) if not link.startswith("https://")}
    assert paths <= {"", *(each.name for each in PAGES)}


def test_the_index_and_the_readme_lead_to_every_page() -> None:
    names = {page.name for page in PAGES}
    assert {*links(DOCS / "index.md"), "index.md"} == names
    from_readme = {link.partition("#")[0] for link in links(README)}
    assert {f"gdtui/docs/{name}" for name in names - {"index.md"}} <= from_readme


def test_the_keys_are_those_of_the_table() -> None:
    """Mend it with the text that this expects."""
    listed = re.search(
        r"<!-- keys -->\n```text\n(.*)```\n<!-- end", text_of(DOCS / "guide.md"), re.DOTALL
    )
    assert listed is not None
    lines = []
    for name, entries in groups():
        lines += [name, *(f" {entry.keys:<10} {entry.help}" for entry in entries)]
    assert listed[1].splitlines() == lines


def test_files_that_are_named_exist() -> None:
    named = re.findall(r"`((?:engine|gdtui|tests)/[\w/.-]*)`", "".join(map(prose_of, ALL)))
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_tree_is_that_of_the_packages() -> None:
    (tree,) = [
        block for block in code_blocks(DOCS / "how-it-works.md", "text") if "engine/" in block
    ]
    listed, above = [], []
    for line in tree.splitlines():
        indent, name = re.match(r"( *)(\S+)/ ", line).groups()  # type: ignore[union-attr]
        above = [*above[: len(indent) // 2], name]
        listed.append("/".join(above))
    folders = {
        str(path.parent.relative_to(ROOT))
        for package in ("engine", "gdtui")
        for suffix in ("py", "md")
        for path in (ROOT / package).rglob(f"*.{suffix}")
    }
    assert sorted(listed) == sorted(folders)
