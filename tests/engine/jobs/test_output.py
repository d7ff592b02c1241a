"""stdout and stderr on a file, for a while."""

import os
from pathlib import Path

import pytest

from engine.jobs.output import output_redirected


def test_output_goes_to_the_end_of_the_file_and_then_where_it_went_before(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "out"
    file.write_text("before, ")
    with output_redirected(file):
        os.write(1, b"out, ")
        os.write(2, b"err")
    os.write(1, b"after")
    assert file.read_text() == "before, out, err"
    assert capfd.readouterr() == ("after", "")


def test_a_file_that_cannot_be_opened_leaves_output_where_it_was(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(FileNotFoundError), output_redirected(tmp_path / "nowhere" / "out"):
        raise AssertionError
    os.write(2, b"still here")
    assert capfd.readouterr() == ("", "still here")
