"""The options of a file of data, as a command line that reads the file in the same way."""

import pytest
from command_lines import context

from engine.settings import DataSettings
from gdtui.cli.options.data import read_data
from gdtui.lesson.code.data_options import data_options

EVERYTHING = DataSettings(
    path="/data/t.csv",
    target="y",
    model="mlp:8",
    validation=0.0,
    leave_out=("a", 'b,"c"'),
    as_number=("d",),
    as_text=("e e",),
    as_classes=("y",),
    drop_missing_target=True,
    encoding="cp1252",
    separator=";",
    decimal=",",
    no_header=True,
)
ARRAYS = DataSettings(path="/data/a.npz", as_number=("target",))


@pytest.mark.parametrize("data", [EVERYTHING, ARRAYS])
def test_the_command_line_gives_the_settings_again(data: DataSettings) -> None:
    assert read_data(context([*data_options(data)]).params)[1] == data


def test_without_a_file_there_are_none() -> None:
    assert [*data_options(None)] == []
