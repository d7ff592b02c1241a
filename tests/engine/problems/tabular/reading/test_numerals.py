"""Numbers as people write them: the one reading that a column allows, or the question."""

from collections import Counter

import pytest

from engine.problems.tabular.reading.numerals import NumeralError, read_numerals


def values(*texts: str, decimal: str | None = None) -> list[float]:
    found = read_numerals(Counter(texts), decimal)
    assert found is not None
    return [found.numbers[text] for text in texts]


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["12,5", "3", "0,25"], [12.5, 3, 0.25]),
        (["1.234,5", "12"], [1234.5, 12]),
        (["1,234.5", "12"], [1234.5, 12]),
        (["1,234,567", "12"], [1234567, 12]),
        (["1.234.567", "12"], [1234567, 12]),
        (["1 234,5", "12\u00a0345,25"], [1234.5, 12345.25]),
        (["1'234.5", "12"], [1234.5, 12]),
        (["1,23,456", "7"], [123456, 7]),
        (["$5", "-$6.5", "$-7", "($8)"], [5, -6.5, -7, -8]),
        (["12 €", "13,5 €"], [12, 13.5]),
        (["USD 12", "USD 1,234.00"], [12, 1234]),
        (["12%", "-3.5 %"], [12, -3.5]),
        (["12 kg", "1.5 kg"], [12, 1.5]),
        (["21.5°C", "−3°C"], [21.5, -3]),
        (["−5", "–6", "+7"], [-5, -6, 7]),
        (["1e3", "2.5E-3", "−1e+2"], [1000, 0.0025, -100]),
        ([".5", "5.", "0"], [0.5, 5, 0]),
        (["9007199254740993", "1"], [9007199254740993, 1]),
        (["0,123"], [0.123]),
        (["１２", "３．５", "－７"], [12, 3.5, -7]),
        (["٣", "٤٫٥"], [3, 4.5]),
        (["\\1,234,567", "\\12"], [1234567, 12]),
        (["980円", "12円"], [980, 12]),
        (["1.234,50-", "12,00"], [-1234.5, 12]),
        (["5-", "7-"], [-5, -7]),
        (["1,5 Mio. €", "20,25 Mio. €"], [1.5, 20.25]),
        (["1,2345"], [1.2345]),
    ],
)
def test_what_can_be_read_in_one_way_is(texts: list[str], numbers: list[float]) -> None:
    assert values(*texts) == numbers


@pytest.mark.parametrize("texts", [["1,234"], ["1,234", "12"], ["1,234", "5,678"], ["$1,234"]])
def test_what_can_be_read_in_two_ways_is_a_question_that_decimal_answers(texts: list[str]) -> None:
    with pytest.raises(NumeralError, match=r"either 1,234 or 1\.234.*--decimal \. or --decimal ,"):
        read_numerals(Counter(texts))
    assert values(*texts, decimal=".")[0] == 1234
    assert values(*texts, decimal=",")[0] == 1.234


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["1.5", "1,5"], "'1,5' has a decimal comma, but '1.5' has a point"),
        (["12 kg", "500 g"], "'500 g' has another unit than '12 kg'"),
        (["$5", "€5"], "'€5' has another unit"),
        ([*"123456789", "rotary"], "'rotary' is not a number, unlike the others"),
        (["inf", "1"], "infinite"),
        (["1e999", "1"], "infinite"),
    ],
)
def test_what_cannot_be_read_is_told(texts: list[str], said: str) -> None:
    with pytest.raises(NumeralError, match=said.replace("$", r"\$")):
        read_numerals(Counter(texts))


@pytest.mark.parametrize(
    "texts",
    [
        ["1st", "2nd", "3rd", "4th"],
        ["12A", "12B", "14C"],
        ["A5", "B7"],
        ["18-25", "26-40"],
        ["1/2", "3/4"],
        ["10+", "20+"],
        ["red", "green", "3"],
        ["12 Main St", "14 Oak Rd"],
        ["1_000", "2_000"],
        ["0x10", "0x20"],
        ["?", "-"],
    ],
)
def test_words_stay_words(texts: list[str]) -> None:
    assert read_numerals(Counter(texts)) is None


@pytest.mark.parametrize(
    "marker",
    [
        "?",
        "-",
        "--",
        "NA",
        "n/a",
        "None",
        "null",
        "NaN",
        ".",
        "*",
        "#N/A",
        "missing",
        "…",
        "#NV",
        "#WERT!",
        "#VALEUR!",
        "#¡VALOR!",
    ],
)
def test_a_repeated_marker_among_numbers_is_a_missing_value(marker: str) -> None:
    found = read_numerals(Counter(["1", "2", marker, marker]))
    assert found is not None
    assert (dict(found.numbers), dict(found.markers)) == ({"1": 1, "2": 2}, {marker: 2})


def test_words_are_missing_where_the_user_wants_numbers() -> None:
    found = read_numerals(Counter(["1", "rotary", "2", "2"]), is_forced=True)
    assert found is not None
    assert (dict(found.numbers), dict(found.markers)) == ({"1": 1, "2": 2}, {"rotary": 1})
