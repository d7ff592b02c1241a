"""The run directory: what is there is whole, what is there stays, and what is wrong is told."""

import os
from pathlib import Path

import pytest

from engine.log.directory import RunDirectory, RunDirectoryError, data_path, reserved
from engine.settings import RunSettings, Variant, VariantSettings

SETTINGS = RunSettings(
    variants=tuple(
        Variant(name=name, settings=VariantSettings()) for name in ("Batch GD", "../\u00e9", "§")
    )
)


def files_in(path: Path) -> list[str]:
    return [file.name for file in path.iterdir()]


def test_what_was_created_is_opened(tmp_path: Path) -> None:
    made = RunDirectory.create(tmp_path / "a" / "b", SETTINGS, "1.2")
    opened = RunDirectory.open(made.path)
    assert opened.info == made.info
    assert opened.info.settings == SETTINGS
    assert [log.name for log in map(opened.variant_log, ("Batch GD", "../\u00e9", "§"))] == [
        "1-batch-gd.gdlog",
        "2-variant.gdlog",
        "3-variant.gdlog",
    ]
    assert files_in(made.path) == ["run.json"]


def test_a_new_directory_is_its_users_own(tmp_path: Path) -> None:
    made = RunDirectory.create(tmp_path / "a", SETTINGS, "1")
    with reserved(tmp_path / "b"):
        assert {path.stat().st_mode & 0o777 for path in (made.path, tmp_path / "b")} == {0o700}


def test_a_directory_that_holds_a_run_is_left_as_it_is(tmp_path: Path) -> None:
    RunDirectory.create(tmp_path, SETTINGS, "1")
    before = (tmp_path / "run.json").read_bytes()
    with pytest.raises(RunDirectoryError, match="already holds a run"):
        RunDirectory.create(tmp_path, SETTINGS, "2")
    assert (tmp_path / "run.json").read_bytes() == before
    assert files_in(tmp_path) == ["run.json"]


def test_run_json_appears_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that waits for the file reads it at once: at no point is there a part of it."""
    seen = []
    write = Path.write_bytes

    def watched(path: Path, data: bytes) -> int:
        seen.append((tmp_path / "run.json").exists())
        count = write(path, data)
        seen.append((tmp_path / "run.json").exists())
        return count

    monkeypatch.setattr(Path, "write_bytes", watched)
    RunDirectory.create(tmp_path, SETTINGS, "1")
    assert seen == [False, False]
    assert RunDirectory.open(tmp_path).info.version == "1"


def test_a_file_system_without_hard_links_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    RunDirectory.create(tmp_path, SETTINGS, "1")
    with pytest.raises(RunDirectoryError, match="already holds a run"):
        RunDirectory.create(tmp_path, SETTINGS, "2")
    assert files_in(tmp_path) == ["run.json"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "holds no run"),
        (b"", "damaged"),
        (b"[]", "damaged"),
        (b'{"format": 9}', "another version"),
    ],
)
def test_what_is_no_run_is_told(tmp_path: Path, content: bytes | None, told: str) -> None:
    if content is not None:
        (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(RunDirectoryError, match=told):
        RunDirectory.open(tmp_path)


def test_one_at_a_time_loads_into_a_directory_and_finds_nothing_of_who_was_killed(
    tmp_path: Path,
) -> None:
    """A validation set of another problem would be taken for that of this one."""
    with reserved(tmp_path):
        data_path(tmp_path).mkdir()
        (data_path(tmp_path) / "validation.pt").touch()
        with pytest.raises(RunDirectoryError, match="another gdtui"), reserved(tmp_path):
            pass
        assert data_path(tmp_path).exists()
    with reserved(tmp_path):
        assert not data_path(tmp_path).exists()


def test_a_folder_of_the_users_is_not_taken_for_the_runs_tensors(tmp_path: Path) -> None:
    mine = tmp_path / "data" / "train.pt"
    mine.parent.mkdir()
    mine.touch()
    with reserved(tmp_path):
        pass
    RunDirectory.create(tmp_path, SETTINGS, "1").remove_data()
    assert mine.exists()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(RunDirectoryError, match=r"--run-dir|not a directory"):
            RunDirectory.create(place, SETTINGS, "1")
