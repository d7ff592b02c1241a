"""Pending changes of a variant: until its own record, or a later one, confirms them."""

from msgspec.structs import replace

from engine.log.commands import Change, Pause, Restart, SetPace
from engine.log.records import (
    Changed,
    CommandSent,
    End,
    Planned,
    Started,
    State,
    StateChanged,
    WorkerDied,
    WorkerReplaced,
)
from engine.settings import VariantSettings
from gdtui.state.pending import Pending

SMALL, LARGE = VariantSettings(batch_size=64), VariantSettings(batch_size=128)


def sent(command: Change | Restart | Pause | SetPace, wall_time: float = 1.0) -> CommandSent:
    return CommandSent(variant="v", wall_time=wall_time, command=command)


def changed(command: int) -> Changed:
    return Changed(
        generation=1,
        settings=LARGE,
        epoch=1,
        batch=1,
        update=1,
        samples=0,
        seconds=0.0,
        command=command,
    )


def started(command: int) -> Started:
    return Started(
        generation=2, settings=LARGE, n=10, model="", parameters=1, device="cpu", threads=1,
        epochs=1, pace=None, command=command,
    )  # fmt: skip


def test_a_change_is_pending_until_its_own_or_a_later_record_confirms_it() -> None:
    pending = Pending()
    pending.add(sent(Change(id=1, settings=SMALL)))
    pending.add(sent(Change(id=3, settings=LARGE)))
    assert pending.settings(SMALL) == LARGE
    pending.add(changed(1))
    assert pending.settings(SMALL) == LARGE
    pending.add(changed(3))
    assert not pending.commands


def test_a_confirmation_read_before_its_command_confirms_it_all_the_same() -> None:
    pending = Pending()
    pending.add(changed(3))
    pending.add(sent(Change(id=3, settings=LARGE)))
    assert not pending.commands


def test_each_kind_is_confirmed_by_its_own_records() -> None:
    pending = Pending()
    pending.add(sent(Pause(id=1)))
    pending.add(sent(SetPace(id=2, pace=None)))
    pending.add(sent(Restart(id=3, settings=LARGE)))
    pending.add(Planned(epochs=1, pace=None, command=2))
    assert pending.pace is None
    pending.add(StateChanged(generation=1, state=State.PAUSED, command=1))
    assert pending.going is None
    assert pending.restarts
    pending.add(started(3))
    assert not pending.restarts


def test_what_was_wanted_of_a_dead_worker_is_kept_for_the_restart() -> None:
    pending = Pending()
    pending.add(sent(Change(id=1, settings=LARGE)))
    pending.add(WorkerDied(variant="v", wall_time=2.0, detail=""))
    assert not pending.commands
    assert pending.settings(SMALL) == LARGE
    pending.add(WorkerReplaced(variant="v", wall_time=3.0, command=1))
    pending.add(started(0))
    assert pending.settings(SMALL) == SMALL


def test_a_restart_that_fails_does_not_stay_pending() -> None:
    pending = Pending()
    pending.add(sent(Restart(id=1, settings=LARGE)))
    pending.add(StateChanged(generation=2, state=State.FAILED, wall_time=2.0))
    assert not pending.restarts


def test_a_command_is_dropped_that_a_worker_had_taken_before_it_broke() -> None:
    """The session's log may be read after the variant's; no clock tells what came first."""
    broken = StateChanged(generation=2, state=State.FAILED, heard=3, wall_time=5.0)
    late = Pending()
    late.add(broken)
    late.add(sent(Restart(id=3, settings=LARGE), wall_time=7.0))
    assert not late.restarts
    late.add(sent(Restart(id=4, settings=LARGE), wall_time=2.0))
    assert late.restarts, "sent after that, by a clock that was set back"
    early = Pending()
    early.add(sent(Pause(id=3)))
    early.add(sent(Restart(id=4, settings=LARGE)))
    early.add(broken)
    assert [command.id for command in early.commands] == [4]


def test_the_newest_command_of_a_kind_stands_for_those_before_it() -> None:
    pending = Pending()
    for number in range(1, 10_001):
        pending.add(sent(Change(id=number, settings=replace(SMALL, batch_size=number))))
    pending.add(sent(Pause(id=10_001)))
    assert len(pending.commands) == 2
    assert pending.settings(SMALL).batch_size == 10_000
    pending.add(changed(9_999))
    assert pending.settings(SMALL).batch_size == 10_000
    pending.add(changed(10_000))
    assert [type(each) for each in pending.commands] == [Pause]


def test_a_command_that_is_seen_as_it_is_sent_and_in_the_log_counts_once() -> None:
    pending = Pending()
    pending.add(sent(Change(id=1, settings=LARGE)))
    pending.add(changed(1))
    pending.add(sent(Change(id=1, settings=LARGE)))
    assert not pending.commands


def test_nothing_is_pending_once_the_log_has_ended() -> None:
    pending = Pending()
    pending.add(End())
    pending.add(sent(Change(id=1, settings=LARGE)))
    assert not pending.commands
