"""Files that vanish while a run trains: told within seconds, nothing trained meanwhile or lost."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from sessions import ENDED, StartRun, Watched, check_contiguous

from engine.log.directory import RunDirectory
from engine.log.file import LogReader
from engine.log.filesystem.identity import FileIdentity
from engine.log.notices import Notice, NoticeKind
from engine.log.records import Chunk, State
from engine.session.run_files import RunFiles
from engine.settings import FULL, RunSettings, Variant, VariantSettings

NAME = "Mini-batch"


def told(watched: Watched, kind: NoticeKind) -> list[str | None]:
    """The variants that notices of this kind are about."""
    return [notice.variant for notice in watched.notices if notice.kind is kind]


def batches(watched: Watched) -> dict[str, int]:
    return {name: tally.batches for name, tally in watched.tallies.items()}


def check_goes_on(watched: Watched, *names: str) -> None:
    """These train further, and no batch is missing in between."""
    before = batches(watched)
    watched.until(lambda: all(batches(watched)[name] > before[name] for name in names))
    for name in names:
        check_contiguous(watched.of(name, Chunk))


def trained(start_run: StartRun, *sizes: int | str, **options: object) -> Watched:
    watched = start_run(sizes, epochs=10**6, **options)
    watched.until(lambda: all(tally.batches for tally in watched.tallies.values()))
    return watched


# --- The whole run --------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["directory", "session log", "run.json"])
def test_a_run_that_is_moved_away_pauses_and_goes_on_once_it_is_back(
    start_run: StartRun, what: str
) -> None:
    watched = trained(start_run, FULL, 64)
    run = watched.run
    path = {"directory": run.path, "session log": run.session_log}.get(what, run.path / "run.json")
    away = path.with_name("away")
    path.rename(away)
    watched.until(lambda: None in told(watched, NoticeKind.LOG_GONE))
    (notice,) = (one for one in watched.notices if one.kind is NoticeKind.LOG_GONE)
    assert str(path if path.suffix != ".json" else run.path) in notice.text

    if what != "directory":
        watched.until(lambda: watched.states() == {State.PAUSED})
    away.rename(path)
    watched.until(lambda: told(watched, NoticeKind.LOG_UNBLOCKED) == [None])
    check_goes_on(watched, *watched.names)
    assert len(told(watched, NoticeKind.LOG_GONE)) == 1, "once"


def test_nothing_is_trained_without_a_directory(start_run: StartRun) -> None:
    """Workers wait by themselves, before anybody tells them to."""
    watched = trained(start_run, FULL, 64)
    away = watched.run.path.with_name("away")
    watched.run.path.rename(away)
    logs = [away / name for name in watched.run.info.logs]
    watched.until(lambda: told(watched, NoticeKind.LOG_GONE))
    sizes: list[int] = []

    def is_still() -> bool:
        sizes.append(sum(log.stat().st_size for log in logs))
        return len(sizes) > 100 and sizes[-1] == sizes[-100]

    watched.until(is_still)
    away.rename(watched.run.path)
    check_goes_on(watched, *watched.names)


def test_a_user_who_had_paused_finds_it_paused(start_run: StartRun) -> None:
    watched = trained(start_run, 64)
    watched.session.pause()
    watched.until(lambda: watched.states() == {State.PAUSED})
    away = watched.run.path.with_name("away")
    watched.run.path.rename(away)
    watched.until(lambda: told(watched, NoticeKind.LOG_GONE))
    away.rename(watched.run.path)
    watched.until(lambda: told(watched, NoticeKind.LOG_UNBLOCKED))
    watched.session.measure([NAME])
    watched.until(lambda: watched.tallies[NAME].sharpness is not None)
    assert watched.states() == {State.PAUSED}
    watched.session.resume()
    check_goes_on(watched, NAME)


def test_going_on_while_it_is_gone_is_answered_and_kept(start_run: StartRun) -> None:
    watched = trained(start_run, 64)
    watched.session.pause()
    watched.until(lambda: watched.states() == {State.PAUSED})
    away = watched.run.path.with_name("away")
    watched.run.path.rename(away)
    watched.until(lambda: told(watched, NoticeKind.LOG_GONE) == [None])
    watched.session.resume()
    watched.until(lambda: told(watched, NoticeKind.LOG_GONE) == [None, None])
    away.rename(watched.run.path)
    check_goes_on(watched, NAME)


def test_a_directory_that_takes_the_place_is_left_alone(start_run: StartRun) -> None:
    watched = trained(start_run, FULL, 64)
    path = watched.run.path
    away = path.with_name("away")
    path.rename(away)
    data = path / ".tensors"
    data.mkdir(parents=True)
    (data / "train.pt").write_bytes(b"somebody else's")
    watched.until(lambda: told(watched, NoticeKind.LOG_GONE))
    assert "another file has taken its place" in watched.notices[-1].text
    watched.session.close()
    assert [each for each in path.rglob("*") if each.is_file()] == [data / "train.pt"]


# --- One log --------------------------------------------------------------------------------------


def test_a_log_that_is_moved_away_pauses_its_variant_alone(start_run: StartRun) -> None:
    watched = trained(start_run, FULL, 64)
    log = watched.run.variant_log(NAME)
    away = log.with_name("away.gdlog")
    log.rename(away)
    watched.until(lambda: told(watched, NoticeKind.LOG_GONE))
    assert told(watched, NoticeKind.LOG_GONE) == [NAME]
    check_goes_on(watched, "Batch GD")
    away.rename(log)
    watched.until(lambda: told(watched, NoticeKind.LOG_UNBLOCKED) == [NAME])
    check_goes_on(watched, *watched.names)


def test_a_log_in_the_place_of_another_is_not_appended_to(start_run: StartRun) -> None:
    watched = trained(start_run, 64)
    log = watched.run.variant_log(NAME)
    away = log.with_name("away.gdlog")
    log.rename(away)
    shutil.copy(away, log)
    copied = log.read_bytes()
    watched.until(lambda: told(watched, NoticeKind.LOG_GONE))
    assert "another file has taken its place" in watched.notices[-1].text
    watched.session.resume()
    watched.until(lambda: len(told(watched, NoticeKind.LOG_GONE)) > 1)
    assert log.read_bytes() == copied
    away.rename(log)
    check_goes_on(watched, NAME)


def test_a_log_that_was_cut_short_is_not_appended_to(start_run: StartRun) -> None:
    watched = trained(start_run, 64)
    log = watched.run.variant_log(NAME)
    os.truncate(log, 100)
    watched.until(lambda: told(watched, NoticeKind.LOG_GONE))
    assert "another program has cut it short" in watched.notices[-1].text


def test_a_new_worker_makes_no_new_log_in_place_of_a_lost_one(start_run: StartRun) -> None:
    """Its first generation would pass for the variant's first."""
    watched = trained(start_run, 64)
    log = watched.run.variant_log(NAME)
    log.unlink()
    os.kill(watched.session.pids[NAME], signal.SIGKILL)
    watched.until(lambda: told(watched, NoticeKind.DIED) == [NAME])
    watched.session.restart({NAME: VariantSettings()})
    watched.until(lambda: told(watched, NoticeKind.DIED) == [NAME, NAME])
    assert "it was removed or moved" in watched.notices[-1].text
    assert not log.exists()


def test_a_run_that_ends_as_its_log_goes_is_complete_in_its_file(start_run: StartRun) -> None:
    watched = start_run((64,), epochs=2)
    watched.until(lambda: watched.states() == ENDED)
    log = watched.run.variant_log(NAME)
    log.rename(log.with_name("away.gdlog"))
    watched.until(lambda: told(watched, NoticeKind.LOG_GONE) == [NAME])
    watched.session.close()
    assert not log.exists()
    assert list(LogReader(log.with_name("away.gdlog")))


# --- Looks ----------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    settings = RunSettings(variants=(Variant(name="A", settings=VariantSettings()),))
    made = RunDirectory.create(tmp_path / "run", settings, "0")
    for log in (made.session_log, made.variant_log("A")):
        log.touch()
    return made


def test_what_is_gone_is_told_once_and_again_when_asked(run: RunDirectory) -> None:
    now = 0.0
    files = RunFiles(run, FileIdentity.of(run.session_log), lambda: now)
    log = run.variant_log("A")
    files.learn("A", FileIdentity.of(log))

    def poll(after: float = 1.0) -> list[tuple[NoticeKind, str | None]]:
        nonlocal now
        now += after
        return [(notice.kind, notice.variant) for notice in files.poll()]

    assert poll() == []
    log.rename(log.with_name("b"))
    assert poll(0.1) == [], "not yet time to look"
    assert poll() == [(NoticeKind.LOG_GONE, "A")]
    assert poll() == []
    files.tell_again()
    assert poll(0.0) == [(NoticeKind.LOG_GONE, "A")]
    run.session_log.unlink()
    assert poll() == [(NoticeKind.LOG_GONE, None)]
    assert files.is_run_gone
    run.path.rename(run.path.with_name("c"))
    assert poll() == [(NoticeKind.LOG_GONE, None)], "for another reason"


def test_what_is_back_is_told(run: RunDirectory) -> None:
    now = 0.0
    files = RunFiles(run, FileIdentity.of(run.session_log), lambda: now)
    files.learn("A", FileIdentity.of(run.variant_log("A")))
    away: Callable[[], Path] = lambda: run.path.with_name("away")  # noqa: E731

    def poll() -> list[Notice]:
        nonlocal now
        now += 1.0
        return files.poll()

    run.path.rename(away())
    (gone,) = poll()
    assert "was removed or moved" in gone.text
    away().rename(run.path)
    run.variant_log("A").unlink()
    assert [(one.kind, one.variant) for one in poll()] == [
        (NoticeKind.LOG_UNBLOCKED, None),
        (NoticeKind.LOG_GONE, "A"),
    ], "in this order: what is told last counts"
    assert not files.is_run_gone
