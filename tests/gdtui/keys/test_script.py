"""A script of keys: its meaning, its mistakes, and that its keys are a keyboard's."""

import asyncio
import string

import pytest
from textual import events
from textual._xterm_parser import XTermParser
from textual.app import App, ComposeResult
from textual.widgets import Input

from gdtui.keys.script import KeyScriptError, Press, parse_keys, play
from gdtui.keys.table import TABLE


def test_waits_add_up_and_keys_take_no_time() -> None:
    presses = parse_keys("8s S 250ms ? .5s q w 1m30s x")
    assert [(press.at, press.key) for press in presses] == [
        (8.0, "S"), (8.25, "question_mark"), (8.75, "q"), (8.75, "w"), (98.75, "x"),
    ]  # fmt: skip


def test_a_digit_is_a_key_and_one_with_a_unit_is_a_wait() -> None:
    assert [press.key for press in parse_keys("8 8s s 1s")] == ["8", "s"]


@pytest.mark.parametrize(
    "word", ["8x", "ctrl", "ctrl+", "ctrl+nokey", "spacebar", "-3s", "1e3s", "30s1m", "SPACE"]
)
def test_what_is_neither_names_itself(word: str) -> None:
    with pytest.raises(KeyScriptError, match="neither a wait") as error:
        parse_keys(f"1s q {word} q")
    assert repr(word) in str(error.value)


@pytest.mark.parametrize("text", ["", "  ", "3s"])
def test_a_script_without_a_key_is_none(text: str) -> None:
    with pytest.raises(KeyScriptError, match="no key"):
        parse_keys(text)


def test_every_key_of_the_table_can_be_played() -> None:
    for entry in TABLE:
        for stroke in entry.strokes:
            assert parse_keys(stroke.shown)[0].key == stroke.key.split(",")[0]


def test_characters_have_the_names_that_the_terminals_driver_gives_them() -> None:
    for character in (set(string.printable) - set(string.whitespace)) | set("éλ×"):
        (typed,) = [e for e in XTermParser().feed(character) if isinstance(e, events.Key)]
        assert parse_keys(character) == (Press(0.0, typed.key, typed.character),)


class Form(App[None]):
    def compose(self) -> ComposeResult:
        yield Input()


async def test_keys_type_into_what_has_the_focus_once_it_is_ready() -> None:
    app, ready = Form(), asyncio.Event()
    async with app.run_test() as pilot:
        app.run_worker(play(app, parse_keys("a 1ms . space Z backspace ["), ready.is_set))
        await pilot.pause(0.1)
        assert app.query_one(Input).value == ""
        ready.set()
        await app.workers.wait_for_complete()
        for _ in range(100):
            if app.query_one(Input).value == "a. [":
                break
            await pilot.pause(0.02)
        assert app.query_one(Input).value == "a. ["


async def test_a_key_waits_for_its_time() -> None:
    app = Form()
    async with app.run_test() as pilot:
        app.run_worker(play(app, parse_keys("a 60s b"), lambda: True))
        for _ in range(100):
            if app.query_one(Input).value:
                break
            await pilot.pause(0.02)
        await pilot.pause(0.2)
        assert app.query_one(Input).value == "a"
