"""stdout and stderr on a file, for a while."""

import os
from pathlib import Path

import pytest

from engine.jobs.output import output_redirected
from engine.log.filesystem.safe_open import output_opened


def test_output_goes_to_the_end_of_the_file_and_then_where_it_went_before(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "out"
    file.write_text("before, ")
    with output_opened(file) as opened, output_redirected(opened):
        os.write(1, b"out, ")
        os.write(2, b"err")
    os.write(1, b"after")
    assert file.read_text() == "before, out, err"
    assert capfd.readouterr() == ("after", "")


def test_output_without_a_file_goes_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    with output_redirected():
        os.write(1, b"gone")
    os.write(1, b"after")
    assert capfd.readouterr() == ("after", "")


def test_a_file_that_cannot_be_written_to_leaves_output_where_it_was(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(OSError, match="Bad file descriptor"), output_redirected(10**6):
        raise AssertionError
    os.write(2, b"still here")
    assert capfd.readouterr() == ("", "still here")
