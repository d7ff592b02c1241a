"""Training data as it is typed: names and files, and options that exclude each other."""

import pytest
from command_lines import context

from engine.settings import DataSettings, SettingsError
from gdtui.cli.options.data import read_data


def read(line: str) -> tuple[str, DataSettings | None]:
    return read_data(context(line).params)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("", "synthetic"),
        ("--problem digits", "digits"),
        ("--problem /a/mine.py:other", "/a/mine.py:other"),
        ("--data t.csv --target y", "table"),
        ("--data T.CSV --target y", "table"),
        ("--data t.parquet --target y", "table"),
        ("--data a.npz", "arrays"),
        ("--data a.npz --problem mnist", "mnist"),
        ("--data book.txt --problem char-lm", "char-lm"),
        ("--data book --problem char-lm", "char-lm"),
    ],
)
def test_the_problem_follows_from_name_and_file(line: str, problem: str) -> None:
    assert read(line)[0] == problem


def test_data_takes_its_options() -> None:
    data = read("--data /a/t.csv --target price --model mlp:64,64 --validation 0.3")[1]
    assert data == DataSettings(path="/a/t.csv", target="price", model="mlp:64,64", validation=0.3)


def test_data_takes_what_a_file_is_to_be_read_as() -> None:
    columns = """--leave-out 'a,"b,c"' --as-number d --as-text e --as-classes f"""
    form = "--drop-missing-target --no-header --encoding cp1252 --separator tab --decimal ,"
    data = read(f"--data /a/t.csv --target y {columns} {form}")[1]
    assert data == DataSettings(
        path="/a/t.csv",
        target="y",
        leave_out=("a", "b,c"),
        as_number=("d",),
        as_text=("e",),
        as_classes=("f",),
        drop_missing_target=True,
        no_header=True,
        encoding="cp1252",
        separator="tab",
        decimal=",",
    )
    arrays = read("--data /a/a.npz --as-classes target")[1]
    assert arrays == DataSettings(path="/a/a.npz", as_classes=("target",))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--target y", "--target requires --data"),
        ("--validation 0.2 --problem digits", "--validation requires --data"),
        ("--problem mnist", "--data FILE"),
        ("--problem digits --data t.csv", "digits has its own data"),
        ("--problem mine.py --data t.csv", "mine.py has its own data"),
        ("--problem mnist --data t.csv", "mnist needs a .npz"),
        ("--data t.xlsx --target y", "one of .npz, .csv, .tsv, .parquet, .pq"),
        ("--data book.txt", "needs --problem char-lm"),
        ("--data a.npz --target y", "arrays has none"),
        ("--data t.csv --target y --model forest", "linear, cnn, or mlp:64,64"),
        ("--data t.csv --target y --model mlp:", "linear, cnn, or mlp:64,64"),
        ("--data t.csv --target y --model mlp:0", "linear, cnn, or mlp:64,64"),
        ("--data t.csv --target y --validation 1", "a share from 0 to 0.9"),
        ("--data t.csv --target y --validation nan", "a share from 0 to 0.9"),
        ("--data book.txt --problem char-lm --model linear", "char-lm has its own"),
        ("--leave-out a", "--leave-out requires --data"),
        ("--no-header", "--no-header requires --data"),
        ("--data a.npz --leave-out a", "--leave-out is for tables; problem arrays has none"),
        ("--data b.txt --problem char-lm --decimal ,", "--decimal is for tables"),
        ("--data t.csv --problem cifar", "choose from synthetic"),
    ],
)
def test_what_does_not_go_together_is_told(line: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said.replace(".", r"\.")):
        read(line)
