"""The time of a run is that of its records, whatever the system's clock says."""

from collections.abc import Callable

import pytest
from portions import portion

from engine.log.directory import RunDirectory
from engine.log.notices import Notice, NoticeKind
from engine.log.records import State, StateChanged, WorkerDied
from engine.log.writing.writer import LogWriter
from gdtui.state.record_source import LogSource, RunTime, ViewerRole
from gdtui.state.store import Store

MakeRun = Callable[..., RunDirectory]


class Watching(LogSource):
    """The logs of somebody else's run."""

    role = ViewerRole.WATCHER


def test_time_goes_on_from_the_newest_record() -> None:
    now = 100.0
    time = RunTime(lambda: now)
    assert time.now() == 0.0
    time.note(1e9)
    now += 10
    assert time.now() == 1e9 + 10
    time.note(1e9 + 10.5)  # it was read sooner after it was written
    assert time.now() == 1e9 + 10.5
    time.note(1e9 + 3)
    time.note(0.0)
    now += 1
    assert time.now() == 1e9 + 11.5, "never back"


def test_a_step_of_the_systems_clock_moves_no_run(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = LogSource(make_run())
    list(portion(source))
    before = source.now()
    monkeypatch.setattr("time.time", lambda: 5.0)
    assert 0 <= source.now() - before < 60


def test_the_seconds_of_training_end_with_a_death_whenever_it_is_read(make_run: MakeRun) -> None:
    running = StateChanged(generation=1, state=State.RUNNING, worker=1, wall_time=10.0)
    death = WorkerDied(variant="SGD", detail="gone", worker=1, wall_time=25.0)
    settings = make_run().info.settings
    for records in ([running, death], [death, running]):
        store = Store(settings)
        for record in records:
            store.add("SGD", record)
        assert store.clock(1000.0) == 15.0


@pytest.mark.parametrize("what", ["log", "session log", "directory"])
def test_a_watcher_is_told_what_is_gone_and_what_is_back(make_run: MakeRun, what: str) -> None:
    run = make_run()
    variant = "SGD" if what == "log" else None
    path = {"log": run.variant_log("SGD"), "session log": run.session_log}.get(what, run.path)
    source, trainer = Watching(run), LogSource(run)
    assert list(portion(source))
    assert source.notices() == []
    away = path.with_name("away")
    path.rename(away)
    list(portion(source))
    (gone,) = source.notices()
    assert (gone.kind, gone.variant) == (NoticeKind.LOG_GONE, variant)
    assert str(path) in gone.text
    assert source.notices() == trainer.notices() == [], "told once, the trainer by its session"
    away.rename(path)
    assert [(one.kind, one.variant) for one in source.notices()] == [
        (NoticeKind.LOG_UNBLOCKED, variant)
    ]


def test_a_log_that_takes_the_place_of_another_is_not_read_as_its_end(make_run: MakeRun) -> None:
    run = make_run()
    source = Watching(run)
    assert list(portion(source))
    log = run.variant_log("SGD")
    data = log.read_bytes()
    log.rename(log.with_name("away"))
    log.write_bytes(data * 2)
    assert list(portion(source)) == []
    (gone,) = source.notices()
    assert "another file has taken its place" in gone.text
    log.with_name("away").rename(log)
    more = StateChanged(generation=1, state=State.PAUSED)
    with LogWriter(log) as writer:
        writer.append(more)
    assert [notice.variant for notice in source.notices()] == ["SGD"]
    assert list(portion(source)) == [("SGD", more)]


def test_all_variants_wait_while_the_run_is_gone(make_run: MakeRun) -> None:
    run = make_run(state=State.RUNNING, is_ended=False)
    source = Watching(run)
    store = Store(run.info.settings)
    for name, record in portion(source):
        store.add(name, record)
    assert store.word == "running"
    run.path.rename(run.path.with_name("away"))
    for notice in source.notices():
        store.heed(notice, 1000.0)
    store.heed(Notice(kind=NoticeKind.NO_CHECKPOINT, variant="SGD", text="no checkpoint"), 1500.0)
    assert store.word == "log gone", "not what follows from it"
    assert {one.word for one in store.states} == {"log gone"}
    assert store.clock(2000.0) == store.clock(3000.0), "nothing trains"
    run.path.with_name("away").rename(run.path)
    for notice in source.notices():
        store.heed(notice, 4000.0)
    assert store.word == "running"
    assert store.clock(5000.0) > store.clock(4500.0)
