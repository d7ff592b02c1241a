"""Pending changes of a variant: until its own record, or a later one, confirms them."""

from engine.log.commands import Change, Pause, Restart, SetPace
from engine.log.records import (
    Changed,
    CommandSent,
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
    late = Pending()
    late.add(StateChanged(generation=2, state=State.FAILED, wall_time=2.0))
    late.add(sent(Restart(id=1, settings=LARGE)))
    assert not late.restarts
