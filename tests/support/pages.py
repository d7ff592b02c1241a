"""The project's Markdown, read as tests need it: code blocks, commands, links and headings."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
README: Final = ROOT / "README.md"
DOCS: Final = ROOT / "gdtui" / "docs"
PAGES: Final = sorted(DOCS.glob("*.md"))
ALL: Final = [README, *PAGES, ROOT / ".github" / "CONTRIBUTING.md"]
_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def code_blocks(page: Path, language: str) -> list[str]:
    """The code blocks of a page in that language."""
    return [code for name, code in _FENCE.findall(text_of(page)) if name == language]


def prose_of(page: Path) -> str:
    """A page without its code blocks."""
    return _FENCE.sub("", text_of(page))


def commands(page: Path) -> Iterator[tuple[str, ...]]:
    """The arguments of each `gdtui …` in a page's shell blocks, up to a pipe or redirection."""
    for block in code_blocks(page, "sh"):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["gdtui"]:
                ends = [place for place, word in enumerate(words) if word in (">", "|", "&&")]
                yield tuple(words[1 : min(ends, default=len(words))])


def links(page: Path) -> list[str]:
    """The targets of a page's links and pictures."""
    return _LINK.findall(prose_of(page))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and Textual make them."""
    headings = re.findall(r"^#+ (.*)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
