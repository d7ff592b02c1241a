"""A replay hands records out when their time comes, at any speed, and ends with what was left."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace
from replay_logs import T0, Clock, chunk, run_of, started, two_variants

from engine.log.directory import RunDirectory
from engine.log.records import (
    AnyRecord,
    Chunk,
    End,
    State,
    StateChanged,
    WorkerDied,
)
from engine.settings import VariantSettings
from gdtui.state.replay import Replay
from gdtui.view.text.heading.header import role_text

MakeRun = Callable[..., RunDirectory]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return two_variants(tmp_path / "run")


def due(replay: Replay) -> list[tuple[str, str, float]]:
    """The next records: variant, kind, seconds after the start."""
    return [
        (name, type(record).__name__, record.wall_time - T0) for name, record in replay.read(1000)
    ]


def test_all_logs_together_in_the_order_of_writing(run: RunDirectory, clock: Clock) -> None:
    replay = Replay(run, 1.0, clock)
    assert due(replay) == [("A", "Started", 0)]
    clock.now += 4.5
    assert due(replay) == [
        ("A", "Chunk", 1), ("B", "Started", 2), ("B", "Chunk", 3), ("B", "CommandSent", 4),
    ]  # fmt: skip
    assert replay.now() == T0 + 4.5
    clock.now += 100
    assert [kind for _, kind, _ in due(replay)] == ["Chunk", "Chunk", "End", "End"]
    assert due(replay) == []
    assert role_text(replay.role) == "replay ended"
    assert replay.now() == T0 + 9


def test_ten_times_as_fast(run: RunDirectory, clock: Clock) -> None:
    replay = Replay(run, 10.0, clock)
    due(replay)
    clock.now += 0.49
    assert [at for *_, at in due(replay)] == [1, 2, 3, 4]
    assert role_text(replay.role) == "replay ×10"
    assert replay.now() == pytest.approx(T0 + 4.9)


def test_time_before_the_first_read_does_not_count(run: RunDirectory, clock: Clock) -> None:
    replay = Replay(run, 1.0, clock)
    clock.now += 60
    assert len(due(replay)) == 1


def test_a_pause_stands_still_and_another_speed_goes_on_from_there(
    run: RunDirectory, clock: Clock
) -> None:
    replay = Replay(run, 1.0, clock)
    due(replay)
    clock.now += 1.5
    replay.pause(True)
    clock.now += 60
    assert [at for *_, at in due(replay)] == [1]
    assert replay.now() == T0 + 1.5
    assert "paused" in role_text(replay.role)
    replay.set_speed(5.0)
    clock.now += 60
    assert due(replay) == []
    replay.pause(False)
    clock.now += 0.3
    assert [at for *_, at in due(replay)] == [2, 3]


def test_a_flood_comes_in_parts(run: RunDirectory, clock: Clock) -> None:
    replay = Replay(run, 1.0, clock)
    replay.set_speed(float("inf"))
    assert len(list(replay.read(3))) == 3
    assert len(list(replay.read(3))) == 3


def running(wall_time: float, worker: int = 0) -> StateChanged:
    return StateChanged(generation=1, state=State.RUNNING, wall_time=T0 + wall_time, worker=worker)


def trained(batch: int, wall_time: float) -> Chunk:
    """Batch after batch in a second each."""
    return chunk(batch, T0 + wall_time, seconds=batch - 1.0)


def times_of(replay: Replay) -> list[float]:
    """The time of each record from the first on, to a hundredth of a second."""
    replay.set_speed(float("inf"))
    return [round(record.wall_time - T0, 2) for _, record in replay.read(1000)]


@pytest.mark.parametrize("step", [-3600.0, -5.0, 0.0, 5.0, 3600.0, 1e9])
def test_a_step_of_the_clock_neither_stops_nor_skips(
    step: float, tmp_path: Path, clock: Clock
) -> None:
    """Set back, five seconds' losses would come at once; set on, nothing would for as long."""
    before = [running(0), *(trained(batch, batch) for batch in range(1, 5))]
    after = [*(trained(batch, batch + step) for batch in range(5, 9)), End(wall_time=T0 + 8 + step)]
    logs = {"A": [*before, *after], "B": [*before, *after]}
    found = times_of(Replay(run_of(tmp_path / "run", logs, [End()]), 1.0, clock))
    gaps = [later - earlier for earlier, later in pairwise(sorted(set(found)))]
    assert max(gaps) <= 4, "a silence that nothing explains is three seconds, and one is trained"
    assert found == sorted(found)
    assert len(set(found)) == 9, "one moment for each batch, the same in both logs"


def test_what_is_explained_takes_its_time(tmp_path: Path, clock: Clock) -> None:
    slow = replace(started(T0), pace=0.001, settings=VariantSettings(batch_size=1))
    paused = StateChanged(generation=1, state=State.PAUSED, wall_time=T0 + 31)
    records = [slow, running(0), trained(1, 10), trained(2, 20), trained(3, 30), paused]
    run = run_of(tmp_path / "paced", {"A": [*records, End(wall_time=T0 + 900)]}, [End()])
    assert times_of(Replay(run, 1.0, clock)) == [0, 0, 10, 20, 30, 31, 900], "a pace, then a pause"
    steady = [running(0, worker=1), trained(1, 100), End(wall_time=T0 + 200)]
    run = run_of(tmp_path / "steady", {"A": steady}, [End()])
    assert times_of(Replay(run, 1.0, clock)) == [0, 100, 200], "by the run's own clock"


def test_without_times_the_seconds_of_training_count(tmp_path: Path, clock: Clock) -> None:
    first = [started(), chunk(1), chunk(2, seconds=1.0)]
    second = [started(generation=2), chunk(1, generation=2), End()]
    replay = Replay(run_of(tmp_path / "run", {"A": [*first, *second]}, [End()]), 1.0, clock)

    def batches() -> list[tuple[int, int]]:
        return [(r.generation, r.batch) for _, r in replay.read(99) if isinstance(r, Chunk)]

    assert batches() == []
    clock.now += 1.0
    assert batches() == [(1, 1)]
    clock.now += 1.0
    assert batches() == [(1, 2)]
    assert replay.now() == 2.0
    clock.now += 0.9
    assert batches() == []
    clock.now += 0.1
    assert batches() == [(2, 1)]


@pytest.mark.parametrize("damage", ["no end", "flipped", "foreign"])
def test_a_log_that_ends_early_says_so_when_the_replay_comes_to_it(
    damage: str, make_run: MakeRun, clock: Clock
) -> None:
    run = make_run(epochs=40, is_ended=damage != "no end")
    log = run.variant_log("SGD")
    data = bytearray(log.read_bytes())
    if damage == "flipped":
        data[len(data) // 2] ^= 4
    elif damage == "foreign":
        data[:] = b"something else entirely"
    log.write_bytes(data)
    replay = Replay(run, 1.0, clock)
    assert (damage == "foreign") == bool(replay.notices())
    list(replay.read(1000))
    replay.set_speed(float("inf"))
    records = dict(replay.read(10_000))  # the last one of each
    last: AnyRecord = records["SGD"]
    if damage == "no end":
        assert isinstance(last, WorkerDied)
        assert "killed" in last.detail
    else:
        assert isinstance(last, StateChanged)
        assert last.state is State.STOPPED
        assert str(log) in last.detail
    assert last.wall_time == replay.now()
    assert [each.variant for each in replay.notices()] == (["SGD"] if damage == "flipped" else [])
    assert replay.notices() == []
