"""Commands in floods: what a newer one supersedes is in no log and reaches no worker."""

from functools import partial
from typing import Any

import pytest

from engine.log.commands import (
    AnyCommand,
    Change,
    Extend,
    Measure,
    Pause,
    Restart,
    Resume,
    SetMeasuring,
    SetPace,
    StepOnce,
    Stop,
    supersedes,
    without_superseded,
)
from engine.log.records import CommandSent
from engine.session.command_queue import CommandQueue
from engine.settings import Variant, VariantSettings


class Worker:
    """Takes what it is sent."""

    def __init__(self) -> None:
        self.is_there = True
        self.variant = Variant(name="any", settings=VariantSettings())
        self.taken: list[AnyCommand] = []

    def send(self, command: AnyCommand) -> None:
        self.taken.append(command)


class Seconds:
    now = 10.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A queue to two workers, with its log."""

    def __init__(self) -> None:
        self.workers = {"A": Worker(), "B": Worker()}
        self.logged: list[CommandSent] = []
        self.seconds = Seconds()
        self.queue = CommandQueue(self.workers, self, self.seconds)  # type: ignore[arg-type]

    def write(self, record: CommandSent) -> None:
        self.logged.append(record)

    def tell(self, name: str, kind: Any, **fields: object) -> None:
        self.queue.tell({name: partial(kind, **fields)})

    def taken(self, name: str) -> list[AnyCommand]:
        return self.workers[name].taken


def settings(size: int) -> VariantSettings:
    return VariantSettings(batch_size=size)


def test_a_command_goes_at_once_and_a_flood_together() -> None:
    bench = Bench()
    for size in range(1, 1_001):
        bench.tell("A", Change, settings=settings(size))
    assert [command.id for command in bench.taken("A")] == [1]
    bench.queue.flush()
    assert [command.id for command in bench.taken("A")] == [1, 1_000]
    assert bench.taken("A")[-1].settings == settings(1_000)  # type: ignore[union-attr]
    assert [record.command for record in bench.logged] == bench.taken("A")
    assert [sent.command.id for sent in bench.queue.take_sent()] == list(range(1, 1_001))
    assert bench.queue.take_sent() == []
    bench.seconds.now += 1
    bench.tell("A", Pause)
    assert isinstance(bench.taken("A")[-1], Pause)


def test_each_variant_and_each_kind_by_itself() -> None:
    bench = Bench()
    bench.tell("A", Measure)  # at once
    for _ in range(3):
        bench.tell("A", SetPace, pace=2.0)
        bench.tell("B", SetPace, pace=3.0)
        bench.tell("A", Extend, epochs=40)
        bench.tell("A", Restart, settings=settings(8))
        bench.tell("A", Change, settings=settings(16))
    bench.queue.flush()
    kinds = [type(command) for command in bench.taken("A")]
    assert kinds == [Measure, SetPace, Extend, Restart, Change]
    assert [type(command) for command in bench.taken("B")] == [SetPace]
    ids = [command.id for command in bench.taken("A")]
    assert ids == sorted(ids)


def test_a_worker_that_is_gone_is_told_nothing() -> None:
    bench = Bench()
    bench.tell("B", Pause)
    bench.tell("A", Pause)
    bench.queue.drop("A")
    bench.workers["A"].is_there = False
    bench.tell("A", Resume)
    bench.queue.flush()
    assert bench.taken("A") == []
    assert bench.queue.last_id == 3, "numbers are not used again"


def test_the_end_overtakes_what_waits() -> None:
    bench = Bench()
    bench.tell("B", Pause)
    bench.tell("A", Restart, settings=settings(8))
    bench.queue.stop()
    bench.queue.flush()
    assert [type(command) for command in bench.taken("A")] == [Stop]
    assert not any(isinstance(record.command, Stop) for record in bench.logged)


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        (Restart(id=2, settings=settings(1)), Change(id=1, settings=settings(2)), True),
        (Change(id=2, settings=settings(1)), Restart(id=1, settings=settings(2)), False),
        (Resume(id=2), Pause(id=1), True),
        (Pause(id=2), StepOnce(id=1), False),
        (Measure(id=2), SetMeasuring(id=1, is_on=True), False),
        (Stop(id=2), Restart(id=1, settings=settings(2)), True),
    ],
)
def test_what_supersedes_what(new: AnyCommand, old: AnyCommand, expected: bool) -> None:
    assert supersedes(new, old) is expected
    assert without_superseded([old, new]) == ([new] if expected else [old, new])
