"""Tables as people write them: the same values, classes and rows, or an error that asks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.problems.builtin import arrays, table
from engine.problems.tabular.table import Table, read_table
from engine.settings import DataReading, DataSettings, SettingsError


def write(path: Path, text: str | bytes, name: str = "t.csv") -> str:
    file = path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(file)


def read(path: Path, text: str | bytes, target: str = "y", **settings: Any) -> Table:
    return read_table(DataSettings(path=write(path, text), target=target, **settings))


def reading(path: Path, text: str | bytes, target: str = "y", **settings: Any) -> DataReading:
    data = DataSettings(path=write(path, text), target=target, **settings)
    found = table.make(0, data).reading
    assert found is not None
    return found


def error(path: Path, text: str | bytes, target: str = "y", **settings: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        table.make(0, DataSettings(path=write(path, text), target=target, **settings))
    assert "\n" not in str(caught.value)
    return str(caught.value).rpartition("t.csv")[2].removeprefix(", ").removeprefix(": ")


def column(text: list[str], separator: str = ";") -> str:
    rows = "".join(f"{each}{separator}{place * 1.5 - 7}\n" for place, each in enumerate(text))
    return f"x{separator}y\n{rows}"


# --- Numbers and markers ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["12,5", "−3,25", "1.234,5"], [12.5, -3.25, 1234.5]),
        (["$1,234.50", "$9", "($3)"], [1234.5, 9, -3]),
        (["12 %", "7,5 %", "100 %"], [12, 7.5, 100]),
        (["?", "4", "?"], [np.nan, 4, np.nan]),
        (["5 kg", "", "-"], [5, np.nan, np.nan]),
        ([" 7", "8 ", " "], [7, 8, np.nan]),
        (["2011-01-01", "2011-01-02", "2011-01-02"], [1293840000, 1293926400, 1293926400]),
        (["TRUE", "false", "True"], [1, 0, 1]),
        (["1e3", "nan", "+2"], [1000, np.nan, 2]),
    ],
)
def test_a_column_of_numbers_is_parsed(
    texts: list[str], numbers: list[float], tmp_path: Path
) -> None:
    found = read(tmp_path, column(texts))
    np.testing.assert_array_equal(found.numbers["x"].to_numpy(), numbers)
    assert found.target.tolist() == [-7.0, -5.5, -4.0]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["1,234", "5,678"], "column 'x', line 2: '1,234' is either 1,234 or 1.234: choose with"),
        (["1.5", "2,5", "3"], "column 'x', line 3: '2,5' has a decimal comma, but '1.5' has"),
        (["12 kg", "12 kg", "500 g"], "column 'x', line 4: '500 g' has another unit than '12 kg'"),
        ([*"123456789", "rotary"], "column 'x', line 11: 'rotary' is not a number, unlike"),
        (["01/02/2003", "03/04/2005"], "column 'x', line 2: '01/02/2003' is either day, month"),
    ],
)
def test_what_cannot_be_decided_is_asked_with_column_line_and_value(
    texts: list[str], said: str, tmp_path: Path
) -> None:
    assert error(tmp_path, column(texts)).startswith(said)


def test_a_word_among_numbers_has_two_ways_out(tmp_path: Path) -> None:
    text = column([*"123456789", "rotary"])
    assert error(tmp_path, text).endswith(
        "; --as-number x takes it for missing, --as-text x takes the column as words"
    )
    forced = read(tmp_path, text, as_number=("x",))
    assert forced.numbers["x"].isna().tolist() == [False] * 9 + [True]
    assert forced.remarks == ("x: 'rotary' (1) read as missing",)
    assert read(tmp_path, text, as_text=("x",)).texts["x"].tolist() == [*"123456789", "rotary"]


def test_points_beside_decimal_commas_are_asked_for(tmp_path: Path) -> None:
    text = "a;b;y\n1,5;1.234;1\n2,5;5.678;2\n3,5;9.123;3\n"
    assert error(tmp_path, text).startswith("column 'b', line 2: '1.234' is unclear, for other")
    assert read(tmp_path, text, decimal=",").numbers["b"].tolist() == [1234, 5678, 9123]
    assert read(tmp_path, text, decimal=".").numbers["b"].tolist() == [1.234, 5.678, 9.123]


def test_a_price_is_no_classes(tmp_path: Path) -> None:
    rows = "".join(f"{k},{1000 + k}.5 €\n" for k in range(40))
    found = reading(tmp_path, f"x,y\n{rows}")
    assert (found.kind, found.unit, found.class_count) == ("number", "€", 0)


# --- The reader's defaults ----------------------------------------------------------------------


def test_words_for_nothing_are_classes_of_a_class_column(tmp_path: Path) -> None:
    words = ["None", "NA", "null", "n/a", "nan", "Fence"] * 4
    found = read(tmp_path, "x,y\n" + "".join(f"{k},{word}\n" for k, word in enumerate(words)))
    assert found.target.tolist() == words
    found = read(tmp_path, "w,y\n" + "".join(f"{word},{k}\n" for k, word in enumerate(words)))
    assert found.texts["w"].tolist() == words


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_in_quotes_and_over_two_lines_split_nothing(
    separator: str, tmp_path: Path
) -> None:
    other = ";" if separator != ";" else ","
    name = f'"Smith{other} {separator}""J"""'
    rows = "".join(f"{name},{k},{k % 2}\n".replace(",", separator) if other != "," else
                   f"{name};{k};{k % 2}\n" for k in range(30))  # fmt: skip
    head = separator.join(['"the name,\n in full"', "x", "y"]) + "\n"
    found = read(tmp_path, head + rows)
    assert set(found.texts["the name,\n in full"]) == {f'Smith{other} {separator}"J"'}
    assert found.numbers["x"].tolist() == [*range(30)]


def test_lines_are_the_files_own_after_quoted_breaks(tmp_path: Path) -> None:
    text = 'a,y\n"one\ntwo",1\n\n"three\nfour\nfive",2\nsix\n'
    assert error(tmp_path, text) == "line 8: 1 field, not 2"
    rows = "".join('"a\nb",1\n' for _ in range(9)) + '"a\nb",x\n'
    assert error(tmp_path, f"a,y\n{rows}").startswith("column 'y', line 20: 'x' is not a number")


@pytest.mark.parametrize("row", ["1", "1,2,3", "1,2,3,4", '"1,2"'])
def test_rows_of_another_length_are_told_not_filled(row: str, tmp_path: Path) -> None:
    fields = {"1": "1 field", "1,2,3": "3 fields", "1,2,3,4": "4 fields", '"1,2"': "1 field"}[row]
    assert error(tmp_path, f"a,y\n1,2\n2,3\n{row}\n4,5\n") == f"line 4: {fields}, not 2"


def test_long_whole_numbers_stay_exact(tmp_path: Path) -> None:
    one, two = 9007199254740992, 9007199254740993
    rows = "".join(f"{one + k},{(one, two)[k % 2]}\n" for k in range(30))
    found = read(tmp_path, f"x,y\n{rows}")
    assert found.numbers["x"].tolist() == [one + k for k in range(30)]
    assert found.target.tolist() == [one, two] * 15
    classes = reading(tmp_path, f"x,y\n{rows}").classes
    assert [(each.name, each.samples) for each in classes] == [(str(one), 15), (str(two), 15)]
    inputs = table.make(0, DataSettings(path=str(tmp_path / "t.csv"), target="y")).train[0]
    assert len(set(inputs[:, 0].tolist())) == len(inputs)


@pytest.mark.parametrize(("first", "is_index"), [(0, True), (1, True), (5, False)])
def test_an_unnamed_first_column_that_counts_rows_is_left_out(
    first: int, is_index: bool, tmp_path: Path
) -> None:
    rows = "".join(f"{first + k},.{k},{'ab'[k % 2]}\n" for k in range(9))
    found = read(tmp_path, f",x,y\n{rows}")
    assert ("column1" in found.left_out) == is_index
    assert ("column1" in found.numbers) != is_index
    assert found.numbers["x"].tolist() == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]


def test_a_date_of_many_stores_is_time(tmp_path: Path) -> None:
    days = [f"2011-01-{day:02}" for day in range(1, 31) for _ in range(4)]
    text = "day,y\n" + "".join(f"{day},{k * 1.5}\n" for k, day in enumerate(days))
    found = read(tmp_path, text)
    assert found.times == ("day",)
    assert found.numbers["day"].diff().dropna().unique().tolist() == [0.0, 86400.0]


def test_a_file_without_a_header_is_told_and_read(tmp_path: Path) -> None:
    rows = "".join(f"{k}.5,{k % 3},{'ab'[k % 2]}\n" for k in range(1, 30))
    assert "--no-header" in reading(tmp_path, rows, "b").sentence
    assert "--no-header reads it as a row" in error(tmp_path, rows, "kind")
    found = read(tmp_path, rows, "3", no_header=True)
    assert found.target.tolist() == ["ab"[k % 2] for k in range(1, 30)]
    assert found.numbers["column1"].tolist() == [k + 0.5 for k in range(1, 30)]
    assert "--no-header" not in reading(tmp_path, "x,z,y\n" + rows, "y").sentence


@pytest.mark.parametrize(
    ("encoding", "asked"),
    [("utf-8", None), ("utf-8-sig", None), ("utf-16", None), ("cp1252", "cp1252"),
     ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be"), ("shift_jis", "shift_jis")],
)  # fmt: skip
def test_encodings(encoding: str, asked: str | None, tmp_path: Path) -> None:
    word = "東京" if encoding == "shift_jis" else "Zürich"
    content = f"stadt,y\n{word},1\n{word},2\nBern,3\n".encode(encoding)
    assert read(tmp_path, content, encoding=asked).texts["stadt"].tolist() == [word, word, "Bern"]
    if asked is not None:
        assert f"not UTF-8 text; --encoding {asked} would read" in error(tmp_path, content)


def test_fields_between_blanks(tmp_path: Path) -> None:
    rows = '18.0   8   307.0      130.0\t"chevrolet malibu"\n15.0   8   350.0      ?\t"buick"\n'
    found = read(tmp_path, rows, "1", no_header=True)
    assert found.texts["column5"].tolist() == ["chevrolet malibu", "buick"]
    np.testing.assert_array_equal(found.numbers["column4"], [130, np.nan])


# --- Ways out -----------------------------------------------------------------------------------


def test_columns_are_left_out_and_names_are_checked(tmp_path: Path) -> None:
    text = "a,b,y\n" + "".join(f"{k},{k % 7},{k * 1.5}\n" for k in range(20))
    found = read(tmp_path, text, leave_out=("b",))
    assert (list(found.numbers), found.left_out) == (["a"], {"b": "--leave-out"})
    assert "--leave-out: no column 'bb'" in error(tmp_path, text, leave_out=("bb",))
    assert "exclude each other" in error(tmp_path, text, as_text=("a",), as_number=("a",))
    assert "it is the column to predict" in error(tmp_path, text, leave_out=("y",))


def test_rows_without_a_target_are_left_out_if_wanted(tmp_path: Path) -> None:
    text = "a,y\n1,1.5\n2,\n3,?\n,\n5,2.5\n6,4.5\n"
    assert error(tmp_path, text).startswith(
        "column 'y', line 3: no value (and in 1 more): every row needs a target; "
        "--drop-missing-target leaves"
    )
    found = read(tmp_path, text, drop_missing_target=True)
    assert (found.target.tolist(), found.rows_left_out) == ([1.5, 2.5, 4.5], 3)
    assert found.numbers["a"].tolist() == [1, 5, 6]


def test_numbers_are_classes_and_classes_numbers_if_wanted(tmp_path: Path) -> None:
    text = "a,y\n" + "".join(f"{k},{3 + k % 4}\n" for k in range(40))
    assert reading(tmp_path, text).kind == "number"
    as_classes = reading(tmp_path, text, as_classes=("y",))
    assert {each.name: each.samples for each in as_classes.classes} == dict.fromkeys("3456", 10)
    text = text.replace(",3", ",0").replace(",4", ",1").replace(",5", ",2").replace(",6", ",3")
    assert reading(tmp_path, text).kind == "classes"
    assert reading(tmp_path, text, as_number=("y",)).kind == "number"


def test_the_separator_and_another_column_are_chosen(tmp_path: Path) -> None:
    assert "--separator" in error(tmp_path, "a:y\n1:2\n2:3\n")
    assert read(tmp_path, "a:y\n1:2\n2:3\n", separator=":").target.tolist() == [2, 3]


def test_the_target_of_arrays_is_a_number_or_classes_if_wanted(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=np.ones((40, 2)), y=np.arange(40) % 4)
    path = str(tmp_path / "a.npz")

    def kind(**settings: Any) -> str:
        found = arrays.make(0, DataSettings(path=path, **settings)).reading
        assert found is not None
        return found.kind

    assert kind() == "classes"
    assert kind(as_number=("target",)) == "number"
    np.savez(path, X=np.ones((40, 2)), y=np.arange(40) % 4 + 0.5)
    assert kind() == "number"
    assert kind(as_classes=("target",)) == "classes"
    with pytest.raises(SettingsError, match="only the target has a choice"):
        kind(as_classes=("x",))
    with pytest.raises(SettingsError, match="exclude each other"):
        kind(as_classes=("target",), as_number=("y",))


def test_labels_that_others_ignore_are_said_to_be_classes(tmp_path: Path) -> None:
    path = str(tmp_path / "a.npz")
    for labels, remarks in (
        ([-1, 0, 1, 2], ("label -1 is a class like the others, and not ignored",)),
        ([-100, 0, 1, 2], ("label -100 is a class like the others, and not ignored",)),
        ([-1, 1], ()),
        ([0, 1, 2], ()),
        ([b"a", b"b"], ()),
    ):
        np.savez(path, X=np.ones((40, 2)), y=np.resize(np.array(labels), 40))
        found = arrays.make(0, DataSettings(path=path)).reading
        assert found is not None
        assert found.remarks == remarks
        assert found.class_count == len(labels)


def test_the_fifty_most_frequent_texts_are_fifty(tmp_path: Path) -> None:
    rows = "".join(f"w{k % 60},{k * 1.5}\n" * (1 + (k % 60 < 50)) for k in range(600))
    problem = table.make(0, DataSettings(path=write(tmp_path, f"w,y\n{rows}"), target="y"))
    assert problem.train[0].shape[1] == 51
    assert (problem.train[0].sum(1) == 1).all()


# --- Above the table, and instead of one --------------------------------------------------------

ROWS = "".join(f"{k}.5;{k % 3}\n" for k in range(30))


@pytest.mark.parametrize(
    ("above", "count"),
    [
        ("sep=;\r\n", 1),
        ("# from: https://example.org\n# unit; cm\n#\n", 3),
        ("#1 first\n#2; second; third\n", 1),
    ],
)
def test_lines_above_a_table_are_skipped_and_counted(
    above: str, count: int, tmp_path: Path
) -> None:
    """A last line of comments with as many fields as the rows holds the names."""
    names = "" if "third" in above else "x;y\n"
    text = above.replace("; second; third", "x;y") + names + ROWS
    found = read(tmp_path, text)
    assert found.numbers.iloc[:, 0].tolist() == [k + 0.5 for k in range(30)]
    assert any("skipped" in remark for remark in found.remarks)
    wrong = text.replace("7.5;1\n", "7.5;1;4\n")
    line = len(above.splitlines()) + bool(names) + 8
    assert error(tmp_path, wrong) == f"line {line}: 3 fields, not 2"


def test_values_that_begin_with_a_hash_are_rows(tmp_path: Path) -> None:
    text = "".join(f"#{k % 4};{k % 2}\n" for k in range(20)) + "b;0\nb;1\n"
    found = read(tmp_path, text, "2", no_header=True)
    assert len(found.texts) == 22
    assert not found.remarks


@pytest.mark.parametrize("title", ["Bevölkerung\n", "Bevölkerung\n\n", "Stand 2021\nin cm\n\n"])
def test_a_title_above_a_table_is_named_with_the_line_to_begin_at(
    title: str, tmp_path: Path
) -> None:
    said = error(tmp_path, f"{title}x;y\n{ROWS}")
    assert said.startswith(f"line 1: '{title.splitlines()[0]}' is not part of the table")
    assert f"begin at line {len(title.splitlines()) + 1}: remove" in said


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"PK\x03\x04\x14\x00", "an Excel workbook or another ZIP archive"),
        (b"\x1f\x8b\x08", "compressed by gzip"),
        (b"PAR1\x15", "ends in .parquet"),
        (b"  <!DOCTYPE html>\n<html>", "a web page"),
        (b'{"x": 1, "y": 2}\n{"x": 3, "y": 4}\n', "JSON"),
        (b'[\n  {"x": 1}]', "JSON"),
        ("x\ty\n1\t2\n".encode("utf-16-le"), "--encoding utf-16-le would read it"),
    ],
)
def test_files_that_are_no_csv_are_named_as_what_they_are(
    start: bytes, said: str, tmp_path: Path
) -> None:
    assert said in error(tmp_path, start + b"\n" * 3)


def test_zeros_before_numbers_and_ids_are_said(tmp_path: Path) -> None:
    rows = "".join(f"{k},0{k % 7}12,{k % 2}\n" for k in range(20))
    said = reading(tmp_path, "id,zip,y\n" + rows).remarks
    assert said == (
        "zip: zeros before numbers dropped, --as-text zip keeps them",
        "id counts the rows: --leave-out id leaves it out",
    )
    kept = reading(tmp_path, "Unnamed: 0,zip,y\n" + rows, as_text=("zip",))
    assert (kept.numbers, kept.texts, kept.remarks) == (0, 1, ())


def test_numbers_that_cannot_be_read_are_no_classes_without_a_word(tmp_path: Path) -> None:
    said = error(tmp_path, "x,y\n" + "".join(f"{k},{k}/{k + 1}\n" for k in range(30)))
    assert "too many classes" in said
    assert "'0/1' could not be read as a number" in said
