"""`gdtui docs`: the topics, the plain text, the viewer."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pages import DOCS, PAGES, text_of
from real_app import CONSOLE_SCRIPT
from terminal import Terminal
from textual.pilot import Pilot
from textual.widgets import Markdown, Static

from gdtui.cli.commands.learn.docs import page, topics
from gdtui.cli.commands.learn.docs_viewer import TOPIC_KEYS, DocsViewer
from gdtui.cli.main import main
from gdtui.theme import THEMES

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


def viewer(topic: str = "index") -> DocsViewer:
    return DocsViewer({name: page(name) for name in topics()}, topic)


@pytest.fixture
def on_the_guide(tmp_path: Path) -> DocsViewer:
    """The viewer on the guide's first lines: all of it takes a second to lay out."""
    guide = tmp_path / "guide.md"
    guide.write_text("\n".join(text_of(page("guide")).splitlines()[:200]), encoding="utf-8")
    return DocsViewer({name: page(name) for name in topics()} | {"guide": guide}, "guide")


def heading(app: DocsViewer) -> str:
    """The title of the page on the screen."""
    return app.viewer.document.source.splitlines()[0].removeprefix("# ")


def test_the_topics_are_the_pages() -> None:
    assert sorted(topics()) == sorted(path.stem for path in PAGES)
    assert topics()[0] == "index"


@pytest.mark.parametrize("topic", [None, *topics()])
def test_without_a_terminal_the_page_is_printed_as_it_is(
    topic: str | None, cli_in_process: Cli
) -> None:
    result = cli_in_process("docs", *([topic] if topic else []))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == text_of(DOCS / f"{topic or 'index'}.md")


def test_the_console_script_prints_a_page_into_a_pipe(cli_env: dict[str, str]) -> None:
    result = subprocess.run(
        [*CONSOLE_SCRIPT, "docs", "api"], env=cli_env, capture_output=True, text=True, check=True
    )
    assert result.stdout == text_of(DOCS / "api.md")


def test_an_unknown_topic_is_a_usage_error_that_lists_the_topics(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["docs", "keyz"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "'keyz'" in said.err
    assert ", ".join(topics()) in said.err


def test_the_help_of_gdtui_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "gdtui docs [TOPIC]" in capsys.readouterr().out


def test_printing_a_page_loads_nothing_heavy(cli_env: dict[str, str]) -> None:
    code = (
        "import sys\nfrom gdtui.cli.main import main\n"
        "main(['docs'])\nprint(*sys.modules, file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], env=cli_env, capture_output=True, check=True
    )
    loaded = {name.partition(".")[0] for name in result.stderr.decode().split()}
    assert not {"torch", "numpy", "textual", "rich", "plotext", "msgspec"} & loaded


def test_the_viewer_loads_no_numpy(cli_env: dict[str, str]) -> None:
    code = "import sys, gdtui.cli.commands.learn.docs_viewer\nprint(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], env=cli_env, capture_output=True, check=True
    )
    loaded = {name.partition(".")[0] for name in result.stdout.decode().split()}
    assert "textual" in loaded
    assert not {"torch", "numpy", "plotext", "msgspec"} & loaded


async def comes(pilot: Pilot[None], what: Callable[[], bool]) -> None:
    """Wait until that is true: a page is laid out, and scrolled, some turns later."""
    for _ in range(500):
        if what():
            return
        await pilot.pause(0.02)
    raise AssertionError("it never came")


async def test_keys_scroll(on_the_guide: DocsViewer) -> None:
    app = on_the_guide
    async with app.run_test(size=(80, 24)) as pilot:
        await comes(pilot, lambda: app.viewer.max_scroll_y > 100)
        assert app.viewer.scroll_y == 0
        await pilot.press("down", "j")
        await comes(pilot, lambda: app.viewer.scroll_y == pytest.approx(2, abs=0.01))
        await pilot.press("up")
        await comes(pilot, lambda: app.viewer.scroll_y == pytest.approx(1, abs=0.01))
        await pilot.press("space")
        await comes(pilot, lambda: app.viewer.scroll_y > 15)
        await pilot.press("b", "end")
        await comes(pilot, lambda: app.viewer.scroll_y == app.viewer.max_scroll_y)
        await pilot.press("home")
        await comes(pilot, lambda: app.viewer.scroll_y == 0)


async def test_a_key_opens_each_topic_and_backspace_returns() -> None:
    app = viewer()
    async with app.run_test(size=(80, 24)) as pilot:
        assert len(topics()) <= len(TOPIC_KEYS)
        for key, topic in zip(TOPIC_KEYS.values(), topics(), strict=False):
            await pilot.press(key)
            source = text_of(page(topic))
            await comes(pilot, lambda source=source: app.viewer.document.source == source)
        await pilot.press("backspace")
        source = text_of(page(topics()[-2]))
        await comes(pilot, lambda: app.viewer.document.source == source)


async def test_backspace_returns_to_where_the_page_was_left(on_the_guide: DocsViewer) -> None:
    app = on_the_guide
    async with app.run_test(size=(80, 24)) as pilot:
        await comes(pilot, lambda: app.viewer.max_scroll_y > 100)
        await pilot.press("space", "space")
        await comes(pilot, lambda: app.viewer.scroll_y > 15)
        left_at = app.viewer.scroll_y
        await pilot.press("1")
        await comes(pilot, lambda: app.viewer.scroll_y == 0)
        await pilot.press("backspace")
        await comes(pilot, lambda: heading(app) == "Guide" and app.viewer.scroll_y == left_at)


@pytest.mark.parametrize("width", [60, 80, 100])
async def test_every_topic_is_at_the_top_beside_its_key(width: int) -> None:
    app = viewer()
    async with app.run_test(size=(width, 24)) as pilot:
        await pilot.pause()
        bar = app.query_one("#topics", Static)
        assert bar.size.height <= (2 if width > 60 else 3)
        rows = [bar.render_line(y).text for y in range(bar.size.height)]
        for key, topic in zip(TOPIC_KEYS, topics(), strict=False):
            assert any(f"{key} {topic}" in row for row in rows), topic


async def test_a_click_on_a_link_opens_its_page() -> None:
    app = viewer()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        (cell,) = [one for one in app.query(".cell") if str(one.render()) == "guide"]
        await pilot.click(cell, offset=(2, 0))
        await comes(pilot, lambda: heading(app) == "Guide")


def tops(app: DocsViewer, title: str) -> list[int]:
    """The rows of the headings with this title, from the top of the screen."""
    return [one.region.y for one in app.query("MarkdownH2") if str(one.render()) == title]


async def test_a_link_to_a_heading_scrolls_to_it() -> None:
    app = viewer("api")
    async with app.run_test(size=(80, 24)) as pilot:
        document = app.viewer.document
        document.post_message(Markdown.LinkClicked(document, "problems.md#problem-fields"))
        await comes(pilot, lambda: heading(app) == "Your own problems and data")
        await comes(pilot, lambda: tops(app, "Problem fields") == [pytest.approx(2, abs=3)])


async def test_an_address_is_copied_and_said() -> None:
    app = viewer("measured")
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        document = app.viewer.document
        document.post_message(Markdown.LinkClicked(document, "https://arxiv.org/abs/1812.06162"))
        await pilot.pause()
        assert app.clipboard == "https://arxiv.org/abs/1812.06162"
        assert heading(app) == "What was measured"


async def test_the_theme_and_the_outline_change() -> None:
    app = viewer()
    async with app.run_test(size=(80, 24)) as pilot:
        seen = [app.theme]
        for _ in range(2):
            await pilot.press("t")
            seen.append(app.theme)
        assert seen == [theme.name for theme in THEMES.values()]
        await pilot.press("o")
        assert app.viewer.show_table_of_contents


@pytest.mark.parametrize(("key", "status"), [("q", 0), ("escape", 0), ("ctrl+c", 130)])
async def test_keys_leave(key: str, status: int) -> None:
    app = viewer()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(key)
        await pilot.pause()
    assert (app.return_code or 0) == status


def test_in_a_terminal_it_is_read_and_left(cli_env: dict[str, str]) -> None:
    with Terminal([*CONSOLE_SCRIPT, "docs"], env=cli_env, columns=80, rows=24) as terminal:
        terminal.wait_for("What is in it")
        terminal.wait_for("q quit")
        terminal.send("2")
        terminal.wait_for("Key scripts")
        terminal.send("q")
        assert terminal.wait() == 0


def test_a_dumb_terminal_gets_plain_text(cli_env: dict[str, str]) -> None:
    command = ["env", "TERM=dumb", *CONSOLE_SCRIPT, "docs"]
    with Terminal(command, env=cli_env, columns=80, rows=60) as terminal:
        assert terminal.wait() == 0
        terminal.wait_for("| [guide](guide.md)")
        assert b"\x1b" not in terminal.raw
