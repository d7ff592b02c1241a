"""Loading before a run: what was begun is removed when it comes to nothing."""

from pathlib import Path

import pytest

from engine.problems.loading import LoadingError
from gdtui.cli import problem_loading
from gdtui.cli.problem_loading import load_problem


def test_a_temporary_folder_that_takes_nothing_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(problem_loading, "PrivateDirectory", fail)
    with pytest.raises(LoadingError) as error:
        load_problem("digits", None, 0, "cpu", tmp_path / "run")
    assert str(error.value) == (
        "cannot make a directory for the data: No space left on device; choose another place with "
        "TMPDIR=DIR"
    )
    assert list(tmp_path.iterdir()) == []
