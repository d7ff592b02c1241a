"""A run's own files are removed, in its directory alone, or none of them."""

from pathlib import Path

import pytest
from canary import PLANTS, CanaryTree

from engine.log.filesystem.removal import remove_files, size_of
from engine.log.filesystem.safe_open import UnsafeFileError

FOLDER, LAST = ".tensors", "run.json"
OWN = ("a.gdlog", "a.out", LAST)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "run"
    (path / FOLDER).mkdir(parents=True)
    for name in (*OWN, f"{FOLDER}/train.pt", f"{FOLDER}/problem.pickle"):
        (path / name).write_bytes(b"12345")
    return path


@pytest.fixture
def canary(tmp_path: Path) -> CanaryTree:
    return CanaryTree(tmp_path / "outside")


def remove(run: Path) -> None:
    remove_files(run, lambda name: name in OWN, folders=[FOLDER], last=LAST)


def test_all_of_a_run_goes(run: Path) -> None:
    assert size_of(run, lambda name: name in OWN, FOLDER) == 25
    remove(run)
    assert not run.exists()


def test_what_somebody_has_put_there_stays(run: Path, canary: CanaryTree) -> None:
    (run / "notes.txt").touch()
    (run / "thesis").symlink_to(canary.folder)
    remove(run)
    assert {path.name for path in run.iterdir()} == {"notes.txt", "thesis"}
    canary.check()


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("name", ["a.out", f"{FOLDER}/train.pt"])
def test_where_no_run_made_a_file_nothing_is_removed(
    name: str, plant: str, run: Path, canary: CanaryTree
) -> None:
    (run / name).unlink()
    PLANTS[plant](run / name, canary.file)
    before = {path: path.lstat().st_mtime_ns for path in run.rglob("*")}
    with pytest.raises(UnsafeFileError, match="nothing of the run was removed"):
        remove(run)
    assert {path: path.lstat().st_mtime_ns for path in run.rglob("*")} == before
    canary.check()


def test_a_folder_that_is_a_link_is_not_emptied(run: Path, canary: CanaryTree) -> None:
    for file in (run / FOLDER).iterdir():
        file.unlink()
    (run / FOLDER).rmdir()
    (run / FOLDER).symlink_to(canary.folder)
    assert size_of(run, lambda name: name in OWN, FOLDER) == 15
    with pytest.raises(UnsafeFileError, match=FOLDER):
        remove(run)
    assert all((run / name).exists() for name in OWN)
    canary.check()


def test_a_run_that_is_a_link_is_not_removed(run: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(run)
    for act in (remove, lambda path: size_of(path, lambda name: True, FOLDER)):
        with pytest.raises(UnsafeFileError):
            act(tmp_path / "link")
    assert (run / LAST).exists()


def test_a_hard_link_is_removed_and_its_other_name_stays(run: Path, canary: CanaryTree) -> None:
    (run / "a.out").unlink()
    (run / "a.out").hardlink_to(canary.file)
    remove(run)
    assert not run.exists()
    canary.check()
