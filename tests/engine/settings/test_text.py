"""Text from outside: nothing that a terminal would obey, ordinary Unicode as it is."""

import json
import unicodedata
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hostile_values import is_obeyed
from hypothesis import given
from hypothesis import strategies as st

from engine.log.directory import RunInfo
from engine.log.records import AnyRecord, Chunk, End, Measured, Planned, State, StateChanged
from engine.settings.text import MOST_CHARACTERS, clean, clean_lines, cleaned, to_json

DIRT = "a\x1b]0;owned\x07\x9b31m\u202eb\u200bc"


def test_every_character_is_either_shown_or_escaped() -> None:
    for code in range(0x110000):
        character = chr(code)
        text = clean(f"a{character}b")
        if is_obeyed(character):
            assert not any(map(is_obeyed, text)), hex(code)
        elif unicodedata.category(character) != "Cn":  # the next Unicode may do as it likes
            assert text == f"a{character}b", hex(code)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\x9bb\x7f\x00", r"a\x9bb\x7f\x00"),
        ("user\u202egpj", r"user\u202egpj"),
        ("SG\u200dD", r"SG\u200dD"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("two\r\nlines\tand\u2028more", "two lines and more"),
        ("[red]x[/] [@click=app.quit]y[/]", "[red]x[/] [@click=app.quit]y[/]"),
        ("損失 0.3 – потеря é ½ σ", "損失 0.3 – потеря é ½ σ"),
        ("👩‍💻 ❤️‍🔥", "👩‍💻 ❤️‍🔥"),
        ("می‌خواهم", "می‌خواهم"),
    ],
)
def test_a_line(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_several_lines_stay_several() -> None:
    text = "Traceback:\r\n\tx = \x1b[1m1\x0b\rValueError: \x07"
    assert clean_lines(text) == "Traceback:\n    x = \\x1b[1m1\n\nValueError: \\x07"


@given(st.text())
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert clean_lines(clean_lines(text)) == clean_lines(text)
    assert not any(map(is_obeyed, clean(text)))
    assert not any(map(is_obeyed, clean_lines(text).replace("\n", "")))


def test_huge_text_keeps_its_ends() -> None:
    for function, most in ((clean, MOST_CHARACTERS), (clean_lines, 10 * MOST_CHARACTERS)):
        text = function(f"begin{'x' * 10_000_000}end")
        assert len(text) <= most
        assert text.startswith("begin")
        assert text.endswith("end")
        assert function(text) == text


# --- Whole values -------------------------------------------------------------------------------


LEAVES: dict[type[msgspec.inspect.Type], Any] = {
    msgspec.inspect.StrType: DIRT,
    msgspec.inspect.BytesType: bytes(4),
    msgspec.inspect.BoolType: True,
    msgspec.inspect.NoneType: None,
    msgspec.inspect.IntType: 1,
    msgspec.inspect.FloatType: 0.5,
}


def dirty(kind: msgspec.inspect.Type) -> Any:
    """A value of that type as msgspec decodes it, with dirt in every text that it can hold."""
    match kind:
        case msgspec.inspect.StructType():
            fields = {each.encode_name: dirty(each.type) for each in kind.fields}
            return fields if kind.tag is None else {kind.tag_field: kind.tag, **fields}
        case msgspec.inspect.UnionType():
            first = (msgspec.inspect.StrType, msgspec.inspect.StructType)
            return dirty(next((one for one in kind.types if isinstance(one, first)), kind.types[0]))
        case msgspec.inspect.DictType():
            return {DIRT: dirty(kind.value_type)}
        case msgspec.inspect.VarTupleType():
            return [dirty(kind.item_type)]
        case msgspec.inspect.TupleType():
            return [dirty(each) for each in kind.item_types]
        case msgspec.inspect.EnumType():
            return next(iter(kind.cls)).value
        case msgspec.inspect.LiteralType():
            return kind.values[0]
        case msgspec.inspect.Metadata():
            return dirty(kind.type)
    return LEAVES[type(kind)]


def texts(value: Any) -> Iterator[str]:
    """All text in a document."""
    match value:
        case str():
            yield value
        case dict():
            for key, entry in value.items():
                yield from (key, *texts(entry))
        case list() | tuple():
            for each in value:
                yield from texts(each)


KINDS = [*AnyRecord.__args__, RunInfo]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_text_of_a_record_or_of_run_json_is_forgotten(kind: type[msgspec.Struct]) -> None:
    """Whatever fields a record has or will have."""
    document = dirty(msgspec.inspect.type_info(kind))
    if kind is RunInfo:
        document["settings"]["data"] |= {"model": "linear", "decimal": ","}
        document["logs"] = ["1-a.gdlog"]
    value = msgspec.convert(document, kind)
    dirt = [each for each in texts(msgspec.to_builtins(value)) if DIRT in each]
    assert dirt or kind in (Chunk, Planned, Measured, End)
    found = list(texts(msgspec.to_builtins(cleaned(value))))
    assert [each for each in found if any(map(is_obeyed, each))] == []
    assert len([each for each in found if clean(DIRT) in each]) == len(dirt)


def test_breaks_of_lines_stay_in_a_traceback_alone() -> None:
    record = StateChanged(generation=1, state=State.FAILED, detail="a\nb", traceback="a\nb\x1b")
    found = cleaned(record)
    assert (found.detail, found.traceback, found.state) == ("a b", "a\nb\\x1b", State.FAILED)


def test_a_clean_value_is_given_back_as_it_is() -> None:
    record = StateChanged(generation=1, state=State.FAILED, detail="a", traceback="a\nb")
    assert cleaned(record) is record


# --- JSON ---------------------------------------------------------------------------------------


@given(st.dictionaries(st.text(), st.text()))
def test_json_holds_the_exact_text_and_nothing_that_is_obeyed(document: dict[str, str]) -> None:
    data = to_json(document)
    assert not any(map(is_obeyed, data.decode()))
    assert json.loads(data) == document


def test_json_of_a_path_that_is_no_utf_8() -> None:
    assert json.loads(to_json({"path": "/a\udcff\x1b", "n": 1})) == {"path": "/a\udcff\x1b", "n": 1}
