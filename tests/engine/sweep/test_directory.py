"""A sweep's directory: arms below it, a lock while it goes on, nothing left of one without arms."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.format import FORMAT
from engine.settings import RunSettings, Variant, VariantSettings
from engine.sweep.directory import SweepDirectory, arm_folders, sweep_file


def settings(*names: str) -> RunSettings:
    return RunSettings(
        variants=tuple(Variant(name=name, settings=VariantSettings()) for name in names)
    )


def alone(sweep: SweepDirectory, place: int) -> RunSettings:
    """The settings of one arm."""
    whole = sweep.info.settings
    return msgspec.structs.replace(whole, variants=(whole.variants[place],))


def broken_off(sweep: SweepDirectory) -> None:
    """Let the sweep begin and end in an error."""

    def fail() -> None:
        with sweep:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()


def test_what_was_created_is_what_is_opened(tmp_path: Path) -> None:
    made = SweepDirectory.create(tmp_path / "sweep", settings("Batch GD", "SGD"), "1.2")
    found = SweepDirectory.open(made.path)
    assert found.info == made.info
    assert (found.info.version, found.info.arms) == ("1.2", ("batch-gd", "sgd"))
    assert made.path.stat().st_mode & 0o777 == 0o700


def test_arms_that_have_begun_are_runs_and_the_others_are_as_they_will_be(tmp_path: Path) -> None:
    sweep = SweepDirectory.create(tmp_path / "sweep", settings("Batch GD", "SGD"), "0")
    planned = sweep.planned_arm("SGD")
    assert not planned.path.exists()
    begun = sweep.new_arm(alone(sweep, 1))
    assert sweep.arm_paths == [begun.path] == [planned.path]
    assert RunDirectory.open(begun.path).info.settings == alone(sweep, 1)
    assert planned.variant_log("SGD") == begun.variant_log("SGD")


def test_it_runs_while_a_process_holds_it_and_is_complete_after_its_end(tmp_path: Path) -> None:
    sweep = SweepDirectory.create(tmp_path / "sweep", settings("SGD"), "0")
    with sweep:
        sweep.new_arm(alone(sweep, 0))
        assert SweepDirectory.open(sweep.path).is_running
        with pytest.raises(RunDirectoryError, match="is running there"):
            SweepDirectory.open(sweep.path).__enter__()
    found = SweepDirectory.open(sweep.path)
    assert (found.is_running, found.info.is_complete) == (False, True)


def test_one_that_breaks_is_not_complete(tmp_path: Path) -> None:
    sweep = SweepDirectory.create(tmp_path / "sweep", settings("SGD"), "0")
    sweep.new_arm(alone(sweep, 0))
    broken_off(sweep)
    found = SweepDirectory.open(sweep.path)
    assert (found.is_running, found.info.is_complete) == (False, False)


def test_one_without_any_arm_leaves_nothing_but_what_was_there(tmp_path: Path) -> None:
    for path, left in ((tmp_path / "new", False), (tmp_path, True)):
        (tmp_path / "notes.txt").touch()
        broken_off(SweepDirectory.create(path, settings("SGD"), "0"))
        assert path.exists() is left
        assert not sweep_file(path).exists()
    assert (tmp_path / "notes.txt").exists()


@pytest.mark.parametrize("taken", ["sweep", "run", "file"])
def test_no_sweep_begins_where_something_else_is(taken: str, tmp_path: Path) -> None:
    path = tmp_path / "there"
    if taken == "sweep":
        SweepDirectory.create(path, settings("SGD"), "0")
    elif taken == "run":
        RunDirectory.create(path, settings("SGD"), "0")
    else:
        path.touch()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RunDirectoryError, match="nothing was changed"):
        SweepDirectory.create(path, settings("SGD"), "0")
    assert sorted(tmp_path.rglob("*")) == before


ONE_VARIANT = '"created": 0, "settings": {"variants": [{"name": "a", "settings": {}}]}'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "damaged"),
        ("[]", "damaged"),
        (f'{{"format": {FORMAT + 1}}}', "a later gdtui"),
        ('{"format": 0}', "damaged"),
        ('{"format": 1, "version": "0"}', "damaged"),
        (f'{{"format": 1, "version": "0", "arms": ["../x"], {ONE_VARIANT}}}', "directory name"),
        (f'{{"format": 1, "version": "0", "arms": [], {ONE_VARIANT}}}', "do not match"),
        ("[" * 100_000, "damaged"),
    ],
)
def test_a_file_that_is_no_sweep_of_ours_is_refused(text: str, told: str, tmp_path: Path) -> None:
    sweep_file(tmp_path).write_text(text)
    with pytest.raises(RunDirectoryError, match=told):
        SweepDirectory.open(tmp_path)


def test_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match="not a sweep"):
        SweepDirectory.open(tmp_path)


@given(st.lists(st.text(max_size=60), max_size=8, unique=True))
def test_every_arm_has_a_folder_of_its_own(names: list[str]) -> None:
    folders = arm_folders(names)
    assert len({*folders}) == len(names)
    assert all(folder.isascii() and "/" not in folder and folder[0] != "." for folder in folders)
