"""The run directory: what is there is whole, what is there stays, and what is wrong is told."""

import os
from pathlib import Path
from typing import Any

import pytest
from canary import PLANTS, CanaryTree

from engine.log.directory import RunDirectory, RunDirectoryError, reserved
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
    seen: list[tuple[list[str], bytes]] = []
    link = os.link

    def watched(draft: str, name: str, **folders: Any) -> None:
        seen.append((files_in(tmp_path), (tmp_path / draft).read_bytes()))
        link(draft, name, **folders)

    monkeypatch.setattr(os, "link", watched)
    RunDirectory.create(tmp_path, SETTINGS, "1")
    ((names, content),) = seen
    assert "run.json" not in names
    assert content == (tmp_path / "run.json").read_bytes()
    assert RunDirectory.open(tmp_path).info.version == "1"


def test_a_file_system_without_hard_links_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **folders: Any) -> None:
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
        (b'{"format": 0}', "damaged: its format is '0'"),
        (b'{"format": "9"}', "damaged"),
    ],
)
def test_what_is_no_run_is_told(tmp_path: Path, content: bytes | None, told: str) -> None:
    if content is not None:
        (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(RunDirectoryError, match=told):
        RunDirectory.open(tmp_path)


def test_one_at_a_time_loads_into_a_directory(tmp_path: Path) -> None:
    with (
        reserved(tmp_path),
        pytest.raises(RunDirectoryError, match="another gdtui"),
        reserved(tmp_path),
    ):
        raise AssertionError
    with reserved(tmp_path):
        pass


def test_nothing_is_loaded_where_logs_of_another_run_lie(tmp_path: Path) -> None:
    """A problem that cannot be loaded has its files cleared away; the logs would go with them."""
    (tmp_path / "1-sgd.gdlog").write_bytes(b"records")
    with pytest.raises(RunDirectoryError, match=r"already holds 1-sgd\.gdlog"), reserved(tmp_path):
        raise AssertionError
    assert files_in(tmp_path) == ["1-sgd.gdlog"]


def test_a_folder_of_earlier_versions_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".tensors").mkdir()
    (tmp_path / ".tensors" / "train.pt").touch()
    with reserved(tmp_path):
        pass
    RunDirectory.create(tmp_path, SETTINGS, "1").custody.remove_handover()
    assert (tmp_path / ".tensors" / "train.pt").exists()


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize(
    "name", ["run.json", "1-batch-gd.gdlog", "2-variant.weights", "3-variant.out", "session.gdlog"]
)
def test_no_run_begins_where_something_has_the_name_of_its_files(
    name: str, plant: str, tmp_path: Path
) -> None:
    canary = CanaryTree(tmp_path / "outside")
    run = tmp_path / "run"
    run.mkdir()
    PLANTS[plant](run / name, canary.file)
    with pytest.raises(RunDirectoryError, match=r"already holds .*; nothing was changed"):
        RunDirectory.create(run, SETTINGS, "1")
    assert files_in(run) == [name]
    canary.check()


@pytest.mark.parametrize("name", ["1-batch-gd.gdlog", "session.gdlog"])
def test_records_of_another_run_are_not_taken_for_those_of_a_new_one(
    name: str, tmp_path: Path
) -> None:
    """Its run.json was removed."""
    (tmp_path / name).write_bytes(b"records")
    with pytest.raises(RunDirectoryError, match=rf"already holds {name}, but no run\.json"):
        RunDirectory.create(tmp_path, SETTINGS, "1")
    assert (tmp_path / name).read_bytes() == b"records"


@pytest.mark.parametrize("plant", PLANTS)
def test_a_loaders_output_is_appended_to_no_other_file(plant: str, tmp_path: Path) -> None:
    canary = CanaryTree(tmp_path / "outside")
    run = tmp_path / "run"
    run.mkdir()
    PLANTS[plant](run / "workers.out", canary.file)
    with pytest.raises(RunDirectoryError, match=r"workers\.out is .*nothing was changed"):  # noqa: SIM117
        with reserved(run):
            pass
    canary.check()


def test_a_predictable_name_of_a_draft_is_not_written_to(tmp_path: Path) -> None:
    """Earlier versions wrote run.json by way of .run.json.PID."""
    canary = CanaryTree(tmp_path / "outside")
    run = tmp_path / "run"
    run.mkdir()
    (run / f".run.json.{os.getpid()}").symlink_to(canary.file)
    RunDirectory.create(run, SETTINGS, "1")
    assert RunDirectory.open(run).info.version == "1"
    canary.check()


@pytest.mark.parametrize("plant", PLANTS)
def test_a_description_that_is_no_file_is_no_run(plant: str, tmp_path: Path) -> None:
    """Also one that leads to the description of another run, or that would never end."""
    RunDirectory.create(tmp_path / "other", SETTINGS, "1")
    (tmp_path / "run").mkdir()
    PLANTS[plant](tmp_path / "run" / "run.json", tmp_path / "other" / "run.json")
    with pytest.raises(RunDirectoryError, match=r"holds no run: run\.json"):
        RunDirectory.open(tmp_path / "run")


def test_a_description_without_an_end_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "run.json").touch()
    os.truncate(tmp_path / "run.json", 1 << 40)
    with pytest.raises(RunDirectoryError, match="is larger than"):
        RunDirectory.open(tmp_path)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(RunDirectoryError, match=r"--run-dir|not a directory"):
            RunDirectory.create(place, SETTINGS, "1")
