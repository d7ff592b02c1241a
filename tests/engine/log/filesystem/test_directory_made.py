"""A directory that is made for a block: kept if the block succeeds, gone if it fails early."""

from pathlib import Path

import pytest

from engine.log.filesystem.safe_open import directory_made


def fail_in(path: Path, *, with_file: bool = False) -> None:
    with directory_made(path):
        if with_file:
            (path / "file").write_text("")
        raise OSError(28, "No space left on device")


def test_a_block_that_succeeds_keeps_it(tmp_path: Path) -> None:
    with directory_made(tmp_path / "new" / "run"):
        pass
    assert (tmp_path / "new" / "run").is_dir()


def test_a_block_that_fails_leaves_no_empty_directory(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space"):
        fail_in(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_what_is_in_it_stays_and_so_does_a_directory_that_was_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space"):
        fail_in(tmp_path / "run", with_file=True)
    (tmp_path / "own").mkdir()
    with pytest.raises(OSError, match="No space"):
        fail_in(tmp_path / "own")
    assert {path.name for path in tmp_path.iterdir()} == {"run", "own"}


def test_a_file_in_its_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(FileExistsError), directory_made(tmp_path / "run"):
        pass
    assert (tmp_path / "run").is_file()
