"""Runs and sweeps as they are opened to be watched: several as one, and what cannot be read."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from portions import portion

import gdtui
from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.records import State
from engine.log.writing.writer import LogWriter
from engine.sweep.directory import SweepDirectory, sweep_file
from gdtui.state.overlay import opening
from gdtui.state.overlay.opening import newest, open_runs
from gdtui.state.overlay.shown_runs import ShownRuns
from gdtui.state.store import Store

MakeRun = Callable[..., RunDirectory]
MakeSweep = Callable[..., SweepDirectory]


def shown(*paths: Path, root: Path = Path("/nowhere")) -> ShownRuns:
    return open_runs(paths, [root]).shown


def names(*paths: Path, root: Path = Path("/nowhere")) -> list[str]:
    """The names of the variants on screen."""
    return [one.name for one in shown(*paths, root=root).variants]


def read(*paths: Path) -> Store:
    """The state of these runs, once all there is has been read."""
    opened = open_runs(paths, [])
    store = Store(opened.shown.settings, opened.shown.variants)
    while records := list(portion(opened.source)):
        for name, record in records:
            store.add(name, record)
    return store


# --- Several as one -------------------------------------------------------------------------------


def test_a_single_run_is_shown_as_it_is(make_run: MakeRun) -> None:
    run = make_run(names=("A", "B"))
    found = shown(run.path)
    assert found.settings == run.info.settings
    assert ([one.name for one in found.variants], found.home) == (["A", "B"], run.path)


def test_several_runs_are_variants_of_one(make_run: MakeRun, tmp_path: Path) -> None:
    one = make_run(tmp_path / "one", names=("A", "B"), epochs=4)
    two = make_run(tmp_path / "two", names=("A",), epochs=2)
    found = shown(one.path, two.path)
    assert [variant.name for variant in found.settings.variants] == ["one: A", "one: B", "two"]
    assert ([run.path for run in found.runs], found.home) == ([one.path, two.path], None)
    store = read(one.path, two.path)
    assert [(s.tally.name, s.tally.samples, s.tally.state) for s in store.states] == [
        ("one: A", 40, State.FINISHED),
        ("one: B", 40, State.FINISHED),
        ("two", 20, State.FINISHED),
    ]
    assert [len(s.current.history) for s in store.states if s.current] == [12, 12, 6]


def test_a_run_that_is_given_twice_is_shown_once(make_run: MakeRun, tmp_path: Path) -> None:
    one, two = make_run(tmp_path / "one"), make_run(tmp_path / "two")
    (tmp_path / "link").symlink_to(one.path)
    assert len(shown(one.path, two.path, one.path, tmp_path / "link").runs) == 2
    assert names(one.path, one.path) == ["Mini-batch", "SGD"]


def test_all_runs_in_a_folder(make_run: MakeRun, make_sweep: MakeSweep, tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    for name in ("b", "a"):
        make_run(folder / name, names=("SGD",))
    make_sweep(folder / "c", names=("SGD", "Batch GD"))
    (folder / "notes").mkdir()
    (folder / "notes.txt").touch()
    assert names(folder) == ["a", "b", "c: SGD", "c: Batch GD"]


def test_an_earlier_sweep_with_a_directory_of_its_own_still_opens(
    make_run: MakeRun, tmp_path: Path
) -> None:
    """Its arms are runs below the folder, and nothing says what they are."""
    for name in ("sgd", "mini-batch-32"):
        make_run(tmp_path / "sweep" / name, names=(name,))
    assert names(tmp_path / "sweep") == ["mini-batch-32", "sgd"]
    assert names(tmp_path / "sweep" / "sgd") == ["sgd"]


def test_a_run_that_still_trains_goes_on_growing(make_run: MakeRun, tmp_path: Path) -> None:
    ended, going = make_run(tmp_path / "a"), make_run(tmp_path / "b", is_ended=False)
    log = going.variant_log("SGD")
    whole = log.read_bytes()
    log.write_bytes(whole[: len(whole) // 2])
    with going.session_log.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        opened = open_runs([ended.path, going.path], [])
        store = Store(opened.shown.settings, opened.shown.variants)

        def batches() -> int:
            for name, record in portion(opened.source):
                store.add(name, record)
            return store.variants["b: SGD"].tally.batches

        before = batches()
        log.write_bytes(whole)
        assert before < batches() == 6


# --- Sweeps ---------------------------------------------------------------------------------------


def test_the_arms_of_a_sweep_keep_their_names_and_its_order(
    make_sweep: MakeSweep, tmp_path: Path
) -> None:
    sweep = make_sweep(tmp_path / "sweep")
    found = shown(sweep.path)
    assert [one.name for one in found.variants] == ["SGD", "Mini-batch 32", "Batch GD"]
    assert found.home == sweep.path
    other = make_sweep(tmp_path / "other", names=("SGD",))
    assert names(sweep.path, other.path)[::2] == ["sweep: SGD", "sweep: Batch GD"]


def test_of_a_sweep_that_has_ended_only_the_arms_that_were_trained_are_shown(
    make_sweep: MakeSweep, tmp_path: Path
) -> None:
    assert names(make_sweep(tmp_path / "sweep", begun=2).path) == ["SGD", "Mini-batch 32"]


def test_of_a_sweep_that_goes_on_all_arms_are_shown_and_followed(
    make_run: MakeRun, make_sweep: MakeSweep, tmp_path: Path
) -> None:
    sweep = make_sweep(tmp_path / "sweep", begun=1)
    with sweep:
        opened = open_runs([sweep.path], [])
        store = Store(opened.shown.settings, opened.shown.variants)

        def take() -> list[State]:
            for name, record in portion(opened.source):
                store.add(name, record)
            return [one.tally.state for one in store.states]

        assert take() == [State.FINISHED, State.STARTING, State.STARTING]
        make_run(tmp_path / "sweep" / "mini-batch-32", names=("Mini-batch 32",))
        assert take() == [State.FINISHED, State.FINISHED, State.STARTING]
    late = open_runs([sweep.path], [])
    assert [one.name for one in late.shown.variants] == ["SGD", "Mini-batch 32"]


def test_an_arm_that_cannot_be_read_is_noted_and_the_others_are_shown(
    make_sweep: MakeSweep, tmp_path: Path
) -> None:
    sweep = make_sweep(tmp_path / "sweep")
    (sweep.path / "mini-batch-32" / "run.json").write_text("{")
    found = shown(sweep.path)
    assert [one.name for one in found.variants] == ["SGD", "Batch GD"]
    (note,) = found.settings.notes
    assert note.startswith("Mini-batch 32 is not shown: ")
    assert "damaged" in note


# --- What cannot be read --------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["missing", "damaged", "empty", "file", "sweep", "long name"])
def test_one_that_cannot_be_read_among_several_is_one_clear_error(
    wrong: str, make_run: MakeRun, make_sweep: MakeSweep, tmp_path: Path
) -> None:
    good, bad = make_run(tmp_path / "good"), tmp_path / "bad"
    match wrong:
        case "long name":
            bad = tmp_path / ("bad" * 200)
        case "damaged":
            (make_run(bad).path / "run.json").write_text("{")
        case "empty":
            bad.mkdir()
        case "file":
            bad.touch()
        case "sweep":
            sweep_file(make_sweep(bad).path).write_text("{")
    with pytest.raises(RunDirectoryError, match=str(bad)) as caught:
        open_runs([good.path, bad], [])
    assert "\n" not in str(caught.value)


def test_a_run_that_cannot_be_read_in_a_folder_is_noted(make_run: MakeRun, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        make_run(tmp_path / "runs" / name, names=("SGD",))
    (tmp_path / "runs" / "b" / "run.json").write_text("{")
    found = shown(tmp_path / "runs")
    assert [one.name for one in found.variants] == ["a", "c"]
    assert found.settings.notes[0].startswith("b is not shown: ")
    for name in ("a", "c"):
        (tmp_path / "runs" / name / "run.json").write_text("{")
    with pytest.raises(RunDirectoryError, match="damaged"):
        shown(tmp_path / "runs")


def test_more_variants_than_can_be_shown(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = make_run(tmp_path / "one"), make_run(tmp_path / "two")
    monkeypatch.setattr(opening, "MOST_VARIANTS", 3)
    with pytest.raises(RunDirectoryError, match="4 variants; 3 are shown at most"):
        open_runs([one.path, two.path], [])


def test_a_damaged_log_stops_its_variant_alone(make_run: MakeRun, tmp_path: Path) -> None:
    one, two = (make_run(tmp_path / name, epochs=40) for name in ("one", "two"))
    log = two.variant_log("SGD")
    data = bytearray(log.read_bytes())
    data[len(data) // 2] ^= 4
    log.write_bytes(data)
    opened = open_runs([one.path, two.path], [])
    found = {name for name, _ in portion(opened.source)}
    (notice,) = opened.source.notices()
    assert len(found) == 4
    assert notice.variant == "two: SGD"
    assert "damaged at byte" in notice.text


def test_runs_of_different_problems_are_shown_with_a_note(
    make_run: MakeRun, tmp_path: Path
) -> None:
    one, two = make_run(tmp_path / "one"), make_run(tmp_path / "two")
    settings = msgspec.structs.replace(two.info.settings, problem="digits")
    info = msgspec.structs.replace(two.info, settings=settings)
    (two.path / "run.json").write_bytes(msgspec.json.encode(info))
    (note,) = shown(one.path, two.path).settings.notes
    assert "synthetic, digits" in note
    assert "may not be comparable" in note


# --- One of them ----------------------------------------------------------------------------------


def test_the_newest_is_a_run_or_a_sweep_that_can_be_read(
    make_run: MakeRun, make_sweep: MakeSweep, tmp_path: Path
) -> None:
    roots = tmp_path / "here", tmp_path / "there"
    with pytest.raises(RunDirectoryError, match=r"here or .*there"):
        newest(*roots)
    run = make_run(roots[0] / "run")
    sweep = make_sweep(roots[1] / "sweep")
    late = make_sweep(roots[0] / "late")
    assert newest(*roots) == late.path
    sweep_file(late.path).write_text("{")
    assert newest(*roots) == newest(*reversed(roots)) == sweep.path
    assert newest(roots[0]) == run.path


def test_a_newer_run_that_cannot_be_read_is_named_beside_the_one_shown(
    make_run: MakeRun, tmp_path: Path
) -> None:
    root = tmp_path / "runs"
    older, run, newer = (make_run(root / name) for name in ("older", "run", "newer"))
    (root / "a file").touch()
    (root / "no run").mkdir()
    assert not any("newer" in note for note in shown(root=root).settings.notes)
    (newer.path / "run.json").write_text("{")
    (older.path / "run.json").write_text("{")
    os.utime(older.path, (1.0, 1.0))
    watched = shown(root=root)
    assert watched.home == run.path
    assert [note for note in watched.settings.notes if "may be newer" in note] == [
        f"{newer.path} may be newer, but cannot be read: gdtui verify newer says why"
    ]


def test_a_sweep_is_no_single_run(make_run: MakeRun, make_sweep: MakeSweep, tmp_path: Path) -> None:
    sweep = make_sweep(tmp_path / "sweep")
    for refuse in (RunDirectory.open, gdtui.open_run):
        with pytest.raises(RunDirectoryError, match=r"is a sweep of 3.*such as .*/sweep/batch-gd"):
            refuse(sweep.path)
    assert gdtui.open_run(sweep.arm_paths[0]).path == sweep.arm_paths[0]


def test_a_log_may_be_written_while_it_is_watched(make_run: MakeRun, tmp_path: Path) -> None:
    """Watching takes no lock that a writer would wait for."""
    one, two = make_run(tmp_path / "one"), make_run(tmp_path / "two")
    opened = open_runs([one.path, two.path], [])
    list(portion(opened.source))
    with LogWriter(one.variant_log("SGD")):
        list(portion(opened.source))
