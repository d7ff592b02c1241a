"""Sessions with real worker processes: training, commands, and everything that can go wrong."""

import io
import os
import signal
import sys
import time
from multiprocessing import resource_tracker
from pathlib import Path

import numpy as np
import pytest
from sessions import ENDED, PATIENCE, StartRun, Watched, check_contiguous
from terminal import children_of

from engine.log.file import LogReader
from engine.log.follow import Follower
from engine.log.notices import NoticeKind
from engine.log.records import (
    Changed,
    Chunk,
    CommandSent,
    End,
    Evaluation,
    Planned,
    Refused,
    Started,
    State,
    StateChanged,
    WorkerDied,
)
from engine.settings import FULL, LrScaling, VariantSettings


def is_alive(pid: int) -> bool:
    """True while that process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def parent_of(pid: int) -> int:
    """The parent of a worker: the fork server."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def wait_for_end(pids: list[int]) -> None:
    deadline = time.monotonic() + PATIENCE
    while any(map(is_alive, pids)):
        assert time.monotonic() < deadline, "processes are left"
        time.sleep(0.01)


# --- Training -----------------------------------------------------------------------------------


def test_three_variants_train_to_the_end_and_every_loss_is_in_the_log(start_run: StartRun) -> None:
    watched = start_run(epochs=3)
    watched.until(lambda: watched.states() == ENDED)
    for name, batches in zip(watched.names, (3, 96, 6000), strict=True):
        tally = watched.tallies[name]
        assert (tally.batches, tally.updates, tally.samples) == (batches, batches, 6000)
        assert len(watched.losses(name)) == 4 * batches
        assert np.isfinite(np.frombuffer(watched.losses(name), "<f4")).all()
        check_contiguous(watched.of(name, Chunk))
        evaluations = watched.of(name, Evaluation)
        assert [evaluation.epoch for evaluation in evaluations] == [0, 1, 2, 3]
    starts = {watched.of(name, Evaluation)[0].full_loss for name in watched.names}
    assert len(starts) == 1, "the variants start from the same weights"

    watched.session.close()
    follower = Follower(watched.run)
    assert list(follower.read())
    assert follower.unfinished() == []
    assert follower.damage == []


def test_pauses_and_a_slow_pace_change_no_loss(start_run: StartRun) -> None:
    sizes = (FULL, 64, 8)
    free = start_run(sizes, epochs=2)
    free.until(lambda: free.states() == ENDED)
    slow = start_run(sizes, epochs=2, pace=1.0)
    slow.until(lambda: slow.tallies[slow.names[-1]].batches > 20)
    slow.session.pause()
    slow.until(lambda: State.RUNNING not in slow.states())
    slow.session.resume()
    slow.session.set_pace(5.0)
    slow.until(lambda: slow.states() == ENDED)
    for name in free.names:
        assert slow.losses(name) == free.losses(name)


def test_no_variant_runs_ahead_of_the_pace(start_run: StartRun) -> None:
    """Free, each of these would be far beyond three epochs within a second."""
    watched = start_run((FULL, 500, 100), epochs=1000, pace=2.0)
    watched.until(lambda: all(tally.epoch >= 3 for tally in watched.tallies.values()))
    for name in watched.names:
        running = next(r for r in watched.of(name, StateChanged) if r.state is State.RUNNING)
        for chunk in watched.of(name, Chunk):
            due = 2.0 * (chunk.wall_time - running.wall_time)
            assert chunk.samples / 2000 <= due + 0.01, "it started before its time"


def test_accumulation_gives_the_updates_of_the_large_batch(start_run: StartRun) -> None:
    watched = start_run((64,), variant={"accumulation_steps": 8}, epochs=2)
    watched.until(lambda: watched.states() == ENDED)
    assert (watched.tallies["Mini-batch"].batches, watched.tallies["Mini-batch"].updates) == (64, 8)


# --- Commands -----------------------------------------------------------------------------------


def test_a_change_is_in_force_at_a_group_boundary_and_confirmed(start_run: StartRun) -> None:
    watched = start_run((16,), variant={"accumulation_steps": 5}, epochs=10**6)
    name = watched.names[0]
    watched.until(lambda: watched.tallies[name].batches > 50)
    wanted = VariantSettings(batch_size=128, accumulation_steps=2, lr_scaling=LrScaling.LINEAR)
    watched.session.change({name: wanted})
    watched.until(lambda: watched.of(name, Changed))
    (changed,) = watched.of(name, Changed)
    watched.until(lambda: watched.tallies[name].batches > changed.batch)

    (sent,) = watched.of(name, CommandSent)
    assert changed.command == sent.command.id
    assert (changed.settings, watched.tallies[name].settings) == (wanted, wanted)
    chunks = watched.of(name, Chunk)
    check_contiguous(chunks)
    before = [chunk for chunk in chunks if chunk.batch < changed.batch]
    after = [chunk for chunk in chunks if chunk.batch >= changed.batch]
    assert {(c.batch_size, c.accumulation_steps, c.lr) for c in before} == {(16, 5, 0.01)}
    assert {(c.batch_size, c.accumulation_steps, c.lr) for c in after} == {(128, 2, 0.04)}
    assert after[0].in_update == 0
    assert after[0].update == before[-1].last_update + 1, "no group has batches of both"


def test_a_change_is_obeyed_while_waiting_for_a_slow_pace(start_run: StartRun) -> None:
    watched = start_run((FULL,), epochs=5, pace=0.001)
    watched.until(lambda: watched.tallies["Batch GD"].batches == 1)
    watched.session.change({"Batch GD": VariantSettings(batch_size=64)})
    watched.until(lambda: watched.of("Batch GD", Changed))
    assert watched.tallies["Batch GD"].batches == 1


def test_settings_that_torch_refuses_leave_the_old_ones_in_force(start_run: StartRun) -> None:
    watched = start_run((64,), epochs=10**6)
    name = watched.names[0]
    watched.until(lambda: watched.tallies[name].batches)
    watched.session.change({name: VariantSettings(optimizer="nosuch")})
    watched.until(lambda: watched.of(name, Refused))
    assert "adam" in watched.of(name, Refused)[0].detail
    assert watched.tallies[name].state is State.RUNNING
    assert watched.tallies[name].settings.optimizer == "sgd"


def test_restart_begins_again_from_the_same_weights(start_run: StartRun) -> None:
    watched = start_run(epochs=2)
    watched.until(lambda: watched.states() == ENDED)
    linear = {
        name: VariantSettings(batch_size=tally.settings.batch_size, lr_scaling=LrScaling.LINEAR)
        for name, tally in watched.tallies.items()
    }
    watched.session.restart(linear)
    watched.until(lambda: {t.generation for t in watched.tallies.values()} == {2})
    watched.until(lambda: watched.states() == ENDED)
    for name, tally in watched.tallies.items():
        first, second = watched.of(name, Started)
        assert (first.generation, second.generation) == (1, 2)
        zero = [e.full_loss for e in watched.of(name, Evaluation) if e.epoch == 0]
        assert zero[0] == zero[1]
        assert tally.samples == 4000
    folded = [tally.full_loss for tally in watched.tallies.values()]
    assert max(folded) - min(folded) < 0.01


def test_one_update_then_pause(start_run: StartRun) -> None:
    watched = start_run((256, 32), variant={"accumulation_steps": 2}, epochs=10**6)
    watched.until(lambda: all(tally.batches for tally in watched.tallies.values()))
    watched.session.pause()
    watched.until(lambda: watched.states() == {State.PAUSED})
    before = {name: tally.updates for name, tally in watched.tallies.items()}
    chosen, other = watched.names
    watched.session.step_once([chosen])
    watched.until(lambda: watched.tallies[chosen].detail == "one update done")
    assert watched.tallies[chosen].updates == before[chosen] + 1
    assert watched.tallies[other].updates == before[other]
    assert watched.tallies[chosen].state is State.PAUSED


def test_extending_goes_on_from_the_end(start_run: StartRun) -> None:
    watched = start_run((FULL, 64), epochs=3)
    watched.until(lambda: watched.states() == ENDED)
    watched.session.extend(6)
    watched.until(lambda: all(tally.epoch == 6 for tally in watched.tallies.values()))
    watched.until(lambda: watched.states() == ENDED)
    for name in watched.names:
        assert watched.of(name, Planned)[0].epochs == 6
        check_contiguous(watched.of(name, Chunk))


# --- Trouble ------------------------------------------------------------------------------------


def test_a_killed_worker_is_told_the_others_go_on_and_restart_replaces_it(
    start_run: StartRun,
) -> None:
    watched = start_run(epochs=10**6)
    watched.until(lambda: all(tally.batches for tally in watched.tallies.values()))
    os.kill(watched.session.pids["SGD"], signal.SIGKILL)
    watched.until(lambda: watched.tallies["SGD"].state is State.DIED)
    assert "SIGKILL" in watched.tallies["SGD"].detail
    assert [notice.kind for notice in watched.notices] == [NoticeKind.DIED]
    done = watched.tallies["Mini-batch"].batches
    watched.until(lambda: watched.tallies["Mini-batch"].batches > done)

    settings = VariantSettings(batch_size=2)
    watched.session.restart({"SGD": settings})
    watched.until(lambda: watched.tallies["SGD"].generation == 2)
    watched.until(lambda: watched.tallies["SGD"].batches > 0)
    assert watched.tallies["SGD"].settings == settings
    watched.session.change({"SGD": VariantSettings(batch_size=4)})
    watched.until(lambda: watched.of("SGD", Changed))
    watched.session.close()
    kinds = [type(record) for record in LogReader(watched.run.session_log)]
    assert WorkerDied in kinds
    assert kinds[-1] is End


def test_who_takes_the_place_of_one_that_died_while_paused_waits_as_the_others_do(
    start_run: StartRun,
) -> None:
    watched = start_run((FULL, 64), epochs=10**6)
    watched.until(lambda: all(tally.batches for tally in watched.tallies.values()))
    watched.session.pause()
    watched.until(lambda: watched.states() == {State.PAUSED})
    name = "Mini-batch"
    os.kill(watched.session.pids[name], signal.SIGKILL)
    watched.until(lambda: watched.tallies[name].state is State.DIED)

    watched.session.restart({name: VariantSettings(batch_size=32)})
    watched.until(lambda: watched.tallies[name].generation == 2)
    watched.until(lambda: watched.tallies[name].state is not State.STARTING)
    assert (watched.tallies[name].state, watched.tallies[name].batches) == (State.PAUSED, 0)
    watched.session.step_once([name])
    watched.until(lambda: watched.tallies[name].detail == "one update done")
    assert watched.tallies[name].updates == 1
    watched.session.resume()
    watched.until(lambda: watched.tallies[name].updates > 1)


def test_the_fork_server_dies_the_workers_train_on_and_nothing_is_orphaned(
    start_run: StartRun,
) -> None:
    watched = start_run(epochs=10**6)
    watched.until(lambda: all(tally.batches for tally in watched.tallies.values()))
    pids = list(watched.session.pids.values())
    os.kill(parent_of(pids[0]), signal.SIGKILL)
    watched.until(lambda: watched.notices)
    assert {notice.kind for notice in watched.notices} == {NoticeKind.SERVER_DIED}
    done = watched.tallies["SGD"].batches
    watched.until(lambda: watched.tallies["SGD"].batches > done)

    os.kill(watched.session.pids["SGD"], signal.SIGKILL)
    watched.until(lambda: watched.tallies["SGD"].state is State.DIED)
    watched.session.restart({"SGD": VariantSettings(batch_size=1)})  # by a new server
    watched.until(lambda: watched.tallies["SGD"].generation == 2)
    pids += watched.session.pids.values()
    watched.session.close()
    wait_for_end(pids)


class Fileless(io.StringIO):
    """A terminal program's sys.stderr."""

    def fileno(self) -> int:
        return -1


@pytest.mark.filterwarnings("ignore:resource_tracker")
def test_a_worker_starts_where_the_tracker_died_and_stderr_has_no_file(
    start_run: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource_tracker.ensure_running()
    (tracker,) = (pid for pid in children_of(os.getpid()) if "resource_tracker" in command_of(pid))
    os.kill(tracker, signal.SIGKILL)
    wait_for_end([tracker])
    monkeypatch.setattr(sys, "stderr", Fileless())
    watched = start_run((64,), epochs=1)
    watched.until(lambda: watched.states() == ENDED)
    assert watched.notices == []


def test_a_worker_that_cannot_be_started_is_told_and_a_restart_tries_again(
    start_run: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **names: object) -> None:
        raise ValueError("no such luck")

    with monkeypatch.context() as broken:
        broken.setattr("engine.session.remote_worker.start_process", fail)
        watched = start_run((64,), epochs=1)
        watched.until(lambda: watched.notices)
    assert [notice.kind for notice in watched.notices] == [NoticeKind.NOT_STARTED]
    assert "no such luck" in watched.notices[0].text
    watched.session.restart({"Mini-batch": VariantSettings()})
    watched.until(lambda: watched.states() == ENDED)


def test_a_variant_that_diverges_stops_alone(start_run: StartRun) -> None:
    watched = start_run((FULL, 1), epochs=10**6)
    watched.until(lambda: watched.tallies["SGD"].batches)
    watched.session.restart({"SGD": VariantSettings(batch_size=1, lr=1e38)})
    watched.until(lambda: watched.tallies["SGD"].state is State.DIVERGED)
    losses = np.frombuffer(watched.losses("SGD"), "<f4")
    assert not np.isfinite(losses[-1])
    done = watched.tallies["Batch GD"].batches
    watched.until(lambda: watched.tallies["Batch GD"].batches > done)
    watched.session.restart({"SGD": VariantSettings(batch_size=1)})
    watched.until(lambda: watched.tallies["SGD"].generation == 3 and watched.tallies["SGD"].batches)


@pytest.mark.parametrize(
    ("variant", "run", "hint"),
    [
        ({}, {"device": "cuda:99"}, "cpu"),
        ({"optimizer": "nosuch"}, {}, "adam"),
        ({"optimizer": "adam", "momentum": 0.9}, {}, "no momentum"),
    ],
)
def test_what_only_torch_knows_is_told_as_a_wrong_call(
    start_run: StartRun, variant: dict[str, object], run: dict[str, object], hint: str
) -> None:
    watched = start_run((64,), variant=variant, **run)
    watched.until(lambda: watched.states() == {State.FAILED})
    tally = watched.tallies["Mini-batch"]
    assert tally.is_usage_error
    assert hint in tally.detail


def test_closing_ends_workers_at_once_even_while_they_start(start_run: StartRun) -> None:
    watched = start_run(epochs=10**6)
    watched.session.close()
    watched.session.close()
    deadline = time.monotonic() + 10
    while (alive := _workers_of(watched)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive


def _workers_of(watched: Watched) -> list[int]:
    """Processes that hold this run's files open."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            open_files = [str(file.readlink()) for file in (process / "fd").iterdir()]
        except OSError:
            continue
        if int(process.name) != os.getpid() and any(
            str(watched.run.path) in file for file in open_files
        ):
            found.append(int(process.name))
    return found
