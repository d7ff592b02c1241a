"""Dates and times of day as seconds, or the question which part is the day."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from engine.problems.tabular.reading.dates import DateError, read_dates
from engine.problems.tabular.reading.numerals import is_marker


def at(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("texts", "seconds"),
    [
        (["2011-01-01", "2011-01-02 10:30"], [at(2011, 1, 1), at(2011, 1, 2, 10, 30)]),
        (["2011/1/31", "2011/12/3"], [at(2011, 1, 31), at(2011, 12, 3)]),
        (["2020-01-02T00:00:00+02:00", "2020-01-02T00:00Z"], [at(2020, 1, 1, 22), at(2020, 1, 2)]),
        (["13/03/2004", "1/2/2004"], [at(2004, 3, 13), at(2004, 2, 1)]),
        (["3/13/2004", "1/2/2004"], [at(2004, 3, 13), at(2004, 1, 2)]),
        (["10.03.2004", "1.2.2004"], [at(2004, 3, 10), at(2004, 2, 1)]),
        (["12 Mar 2020", "Mar 13, 2020", "14-Mar-20"], [at(2020, 3, day) for day in (12, 13, 14)]),
        (["1/31/70", "1/31/12"], [at(1970, 1, 31), at(2012, 1, 31)]),
        (["18.00.00", "06.30.05"], [64800, 23405]),
        (["12:30", "1:05 pm"], [45000, 47100]),
        (["12/12/2020", "11/11/2020"], [at(2020, 12, 12), at(2020, 11, 11)]),
    ],
)  # fmt: skip
def test_dates_are_time(texts: list[str], seconds: list[float]) -> None:
    assert read_dates(Counter(texts), is_marker) == dict(zip(texts, seconds, strict=True))


def test_day_and_month_that_may_be_either_are_a_question() -> None:
    with pytest.raises(DateError, match=r"'10/03/2004' is either day, month, year or month, day"):
        read_dates(Counter(["10/03/2004", "11/03/2004"]), is_marker)


def test_a_day_that_no_month_has_is_told() -> None:
    with pytest.raises(DateError, match="'2020-02-30' is not a date, unlike the others"):
        read_dates(Counter([f"2020-02-{day}" for day in range(10, 31) if day != 29]), is_marker)


@pytest.mark.parametrize("texts", [["abc"], ["12.5"], ["2011"], ["10-20", "20-30"], ["?"]])
def test_others_are_none(texts: list[str]) -> None:
    assert read_dates(Counter(texts), is_marker) is None
