"""Well-known tables in the form in which they are published, and what they are read as.

Made alike: the columns, notations and markers of the files, with rows of our own.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.problems.builtin import table
from engine.settings import DataSettings

N = 60


def lines(head: str, row: Callable[[int], str], tail: str = "") -> str:
    return "".join([head, *(row(k) + "\n" for k in range(N)), tail])


def titanic() -> str:
    return lines(
        "PassengerId,Survived,Pclass,Name,Sex,Age,SibSp,Parch,Ticket,Fare,Cabin,Embarked\n",
        lambda k: (
            f'{k + 1},{int(k % 5 > 2)},{k % 3 + 1},"Braund, Mr. No {k}",{("male", "female")[k % 2]}'
            f",{'' if k % 4 == 0 else 20 + k / 2},{k % 2},{k % 3},{('A/5 ', 'PC ', '')[k % 3]}"
            f"{21171 + k},{7.25 + k},{'' if k % 3 else f'C{k}'},{'SCQ'[k % 3]}"
        ),
    )


def adult() -> str:
    return lines(
        "",
        lambda k: (
            f"{25 + k}, {('State-gov', 'Private', '?')[k % 3]}, {77516 + 31 * k}, Bachelors, "
            f"{9 + k % 5}, {('Never-married', 'Divorced')[k % 2]}, Adm-clerical, Husband, White, "
            f"{('Male', 'Female')[k % 2]}, {2174 * (k % 2)}, 0, 40, United-States, "
            f"{('<=50K', '>50K')[k % 4 == 0]}"
        ),
        tail="\n",
    )


def auto_mpg() -> str:
    return lines(
        "",
        lambda k: (
            f"{18 + k / 2:.1f}   {(4, 6, 8)[k % 3]}   {307 + k:.1f}      "
            f"{'?' if k % 10 == 0 else f'{130 + k:.1f}'}      {3504 + k}.      {12 + k / 10:.1f}   "
            f'{70 + k % 12}  {k % 3 + 1}\t"chevrolet {k}"'
        ),
    )


def air_quality() -> str:
    return lines(
        "Date;Time;CO(GT);PT08.S1(CO);NMHC(GT);T;RH;;\n",
        lambda k: (
            f"{10 + k // 10}/03/2004;{k % 24:02}.00.00;{2.5 + k / 10:.1f};{1360 + k};-200;"
            f"{13 + k / 10:.1f};{48 + k / 4:.2f};;"
        ).replace(".", ",").replace(",00,00", ".00.00"),
        tail=";;;;;;;;\n" * 5,
    )  # fmt: skip


def wine() -> str:
    return lines(
        '"fixed acidity";"volatile acidity";"density";"alcohol";"quality"\n',
        lambda k: f"{7.4 + k / 10:.4g};{0.7 + k / 100:.4g};{0.99 + k / 9999:.5f};9.4;{3 + k % 6}",
    )


def bike_sharing() -> str:
    return lines(
        "instant,dteday,season,yr,mnth,holiday,weekday,workingday,weathersit,temp,cnt\n",
        lambda k: (
            f"{k + 1},2011-{k // 28 + 1:02}-{k % 28 + 1:02},1,0,{k // 28 + 1},0,{k % 7},"
            f"{int(k % 7 > 1)},{k % 3 + 1},0.{344167 + k},{985 + 7 * k}"
        ),
    )


def penguins() -> str:
    return lines(
        '"","species","island","bill_length_mm","bill_depth_mm","body_mass_g","sex","year"\n',
        lambda k: (
            f'"{k + 1}","{("Adelie", "Gentoo", "Chinstrap")[k % 3]}","{("Biscoe", "Dream")[k % 2]}"'
            f',{"NA" if k == 3 else 39.1 + k},{"NA" if k == 3 else 18.7},{"NA" if k == 3 else 3750}'
            f',{"NA" if k % 12 == 3 else ("male", "female")[k % 2]},{2007 + k % 3}'
        ).replace(",male", ',"male"').replace(",female", ',"female"'),
    )  # fmt: skip


GOLDEN: dict[str, tuple[Callable[[], str], str, dict[str, Any], str]] = {
    "titanic": (
        titanic,
        "titanic.csv",
        {"target": "Survived"},
        ": target Survived: two classes, 0 36, 1 24 (binary cross-entropy); "
        "inputs: 6 numbers, 3 texts; "
        "'Name', 'Ticket' left out: text that hardly repeats; "
        "PassengerId counts the rows: --leave-out PassengerId leaves it out; "
        "60 rows, 20% held out",
    ),
    "adult": (
        adult,
        "adult.data",
        {"target": "15", "no_header": True},
        ": target column15: two classes, <=50K 45, >50K 15 (binary cross-entropy); "
        "inputs: 6 numbers, 8 texts; "
        "60 rows, 20% held out",
    ),
    "auto-mpg": (
        auto_mpg,
        "auto-mpg.data",
        {"target": "1", "no_header": True},
        " (separator space): target column1: a number (mean squared error); "
        "inputs: 7 numbers; "
        "'column9' left out: text that hardly repeats; "
        "column4: '?' (6) read as missing; "
        "60 rows, 20% held out",
    ),
    "air quality": (
        air_quality,
        "AirQualityUCI.csv",
        {"target": "CO(GT)"},
        " (separator ;): target CO(GT): a number (mean squared error); "
        "inputs: 4 numbers, 2 times; "
        "'column8', 'column9' left out: empty; "
        "T: decimal comma; "
        "RH: decimal comma; "
        "CO(GT): decimal comma; "
        "60 rows, 5 rows left out, 20% held out",
    ),
    "wine quality": (
        wine,
        "winequality-red.csv",
        {"target": "quality"},
        " (separator ;): target quality: a number (mean squared error); "
        "inputs: 4 numbers; "
        "60 rows, 20% held out",
    ),
    "bike sharing": (
        bike_sharing,
        "day.csv",
        {"target": "cnt"},
        ": target cnt: a number (mean squared error); "
        "inputs: 9 numbers, 1 time; "
        "instant counts the rows: --leave-out instant leaves it out; "
        "60 rows, 20% held out",
    ),
    "penguins": (
        penguins,
        "penguins.csv",
        {"target": "species"},
        ": target species: 3 classes, Adelie 20, Chinstrap 20, Gentoo 20 (cross-entropy); "
        "inputs: 4 numbers, 2 texts; "
        "'column1' left out: no name, and it counts the rows; "
        "bill_length_mm: 'NA' (1) read as missing; "
        "bill_depth_mm: 'NA' (1) read as missing; "
        "body_mass_g: 'NA' (1) read as missing; "
        "60 rows, 20% held out",
    ),
}


@pytest.mark.parametrize(("make", "name", "data", "said"), GOLDEN.values(), ids=GOLDEN)
def test_what_a_published_table_is_read_as(
    make: Callable[[], str], name: str, data: dict[str, Any], said: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(make())
    reading = table.make(0, DataSettings(path=str(tmp_path / name), **data)).reading
    assert reading is not None
    assert reading.sentence == f"{name}{said}"
