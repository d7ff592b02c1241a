"""The records of somebody else's run, and how it is known that nobody writes it any more."""

from collections.abc import Callable
from pathlib import Path

from portions import portion

from engine.log.directory import RunDirectory
from engine.log.records import Chunk, State, StateChanged
from engine.log.writing.writer import LogWriter
from engine.settings import RunSettings, Variant, VariantSettings
from gdtui.state.overlay.watch_source import WatchSource
from gdtui.state.store import Store

MakeRun = Callable[..., RunDirectory]


def test_a_run_that_goes_on_is_followed_until_nobody_writes_it(make_run: MakeRun) -> None:
    run = make_run(epochs=1, state=State.RUNNING, is_ended=False)
    now = 0.0
    source, store = WatchSource(run, lambda: now), Store(run.info.settings)

    def read() -> int:
        new = list(portion(source))
        for name, record in new:
            store.add(name, record)
        return len(new)

    with LogWriter(run.variant_log("SGD")) as log:
        read()
        now = 10.0
        assert read() == 0
        assert store.variants["SGD"].tally.state is State.RUNNING
        log.append(StateChanged(generation=1, state=State.PAUSED, wall_time=77.0))
        assert read() == 1
        assert store.variants["SGD"].tally.state is State.PAUSED
    now = 20.0
    assert read() == 2
    assert read() == 0
    assert {one.tally.state for one in store.states} == {State.DIED}
    assert store.clock(1e9) == store.clock(2e9)


def test_a_run_that_ended_well_has_nothing_added(make_run: MakeRun) -> None:
    run = make_run()
    source = WatchSource(run)
    list(portion(source))
    assert list(portion(source)) == list(portion(source)) == []
    assert source.notices() == []


def test_logs_at_their_end_are_looked_at_once_a_second(make_run: MakeRun) -> None:
    """Many runs may be on screen: each look opens their files."""
    run, now = make_run(), 0.0
    source = WatchSource(run, lambda: now)
    list(portion(source))
    assert list(portion(source)) == []
    with LogWriter(run.variant_log("SGD")) as log:
        log.append(StateChanged(generation=1, state=State.PAUSED))
    assert list(portion(source)) == []
    now = 1.5
    assert [record.state for _, record in portion(source)] == [State.PAUSED]  # type: ignore[union-attr]


def test_a_run_that_is_to_come_is_waited_for_and_then_followed(
    make_run: MakeRun, tmp_path: Path
) -> None:
    variants = (Variant(name="SGD", settings=VariantSettings()),)
    planned = RunDirectory.planned(tmp_path / "arm", RunSettings(variants=variants), "0")
    source = WatchSource(planned, is_written=lambda run: True, unbegun="left out")
    assert list(portion(source)) == []
    make_run(planned.path, names=("SGD",))
    assert any(isinstance(record, Chunk) for _, record in portion(source))


def test_a_run_that_never_came_is_said_to_be_left_out_once_nobody_will_write_it(
    tmp_path: Path,
) -> None:
    variants = (Variant(name="SGD", settings=VariantSettings()),)
    planned = RunDirectory.planned(tmp_path / "arm", RunSettings(variants=variants), "0")
    now, is_written = 0.0, True
    source = WatchSource(planned, lambda: now, lambda run: is_written, unbegun="left out")
    assert list(portion(source)) == []
    is_written, now = False, 5.0
    ((name, record),) = portion(source)
    assert isinstance(record, StateChanged)
    assert (name, record.state, record.detail) == ("SGD", State.STOPPED, "left out")
    now = 10.0
    assert list(portion(source)) == []
