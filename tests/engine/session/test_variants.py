"""Variants that go back, are forked, added and removed, and a run that goes on with them."""

import pytest
from msgspec.structs import replace
from sessions import ENDED, StartRun, Watched

from engine.log.directory import RunDirectory
from engine.log.records import AnyRecord, Chunk, Point, Resumed, Started, State
from engine.session import Session
from engine.session.past import ResumedRun
from engine.session.remote_worker import RemoteWorker
from engine.session.variants.roster import MOST_TRAINED, VariantError, free_name, new_variant
from engine.settings import Variant, VariantSettings


def losses_of(records: list[AnyRecord], generation: int, after: int = 0) -> bytes:
    chunks = [each for each in records if isinstance(each, Chunk)]
    chunks = [each for each in chunks if each.generation == generation]
    begin = chunks[0].batch - 1
    return b"".join(each.losses for each in chunks)[4 * max(after - begin, 0) :]


def test_rewinds_forks_and_variants_that_come_and_go(start_run: StartRun) -> None:
    """One run for all of it, since a worker takes seconds to start."""
    watched = start_run((500, 250), variant={"momentum": 0.9, "lr": 0.003}, epochs=6, threads=1)
    a, b = watched.names
    watched.until(lambda: watched.states() == ENDED)
    session, settings = watched.session, watched.session.wanted[a]
    fork = session.fork(settings, Point(variant=a, batches=10))
    other = session.fork(replace(settings, batch_size=1_000), Point(variant=a, batches=10), "wide")
    session.rewind({b: session.wanted[b]}, {b: Point(batches=21)})
    session.remove([a])
    with pytest.raises(VariantError, match="was removed already"):
        session.remove([a])
    new = session.add(session.wanted[b])
    assert (fork, other, new) == (f"{a} 2", "wide", f"{a} 3")
    watched.until(lambda: len(watched.tallies) == 5)
    watched.until(lambda: {each.state for each in watched.tallies.values()} <= {*ENDED, "stopped"})

    assert losses_of(watched.records[fork], 1) == losses_of(watched.records[a], 1, after=10)
    assert losses_of(watched.records[b], 2) == losses_of(watched.records[b], 1, after=21)
    assert losses_of(watched.records[new], 1) == losses_of(watched.records[b], 1)
    (begun,) = watched.of(other, Started)
    assert begun.origin == watched.of(fork, Started)[0].origin  # type: ignore[union-attr]
    assert begun.settings.batch_size == 1_000  # type: ignore[union-attr]
    assert watched.tallies[a].is_removed
    assert a not in session.pids
    assert not watched.notices

    session.pause()
    session.restart({a: settings})
    watched.until(lambda: watched.tallies[a].generation == 2 and not watched.tallies[a].is_removed)
    watched.until(lambda: watched.tallies[a].state is State.PAUSED)
    session.remove([a])
    session.close()
    goes_on(watched, removed=a)


def goes_on(before: Watched, removed: str) -> None:
    """The run goes on with all its variants but the one removed."""
    run = ResumedRun.take_up(before.run.path, epochs=7)
    with Session(run) as session:
        session.start()
        watched = Watched(session)
        rest = [name for name in watched.names if name != removed]
        assert removed not in session.pids
        watched.until(lambda: all(watched.of(name, Resumed)[-1:] for name in rest))
        epochs = [watched.tallies[name] for name in rest]
        watched.until(lambda: all((each.epoch, each.state) == (7, "finished") for each in epochs))
        assert not any(each.differing for name in rest for each in watched.of(name, Resumed))  # type: ignore[union-attr]
        assert watched.tallies[removed].is_removed
    assert len(RunDirectory.open(run.path).info.logs) == 5


def test_names_of_new_variants() -> None:
    assert free_name(["SGD"], "Mini") == "Mini"
    assert free_name(["SGD"], "SGD") == "SGD 2"
    assert free_name(["SGD", "SGD 2"], "SGD 2") == "SGD 3"
    assert free_name(["batch 64"], "batch 64") == "batch 64 2"


def test_nine_variants_are_enough() -> None:
    settings = VariantSettings()
    workers = {
        str(k): RemoteWorker(Variant(name=str(k), settings=settings)) for k in range(MOST_TRAINED)
    }
    with pytest.raises(VariantError, match="there are 9 variants already"):
        new_variant(workers, "more", settings)
    workers["3"].is_removed = True
    assert new_variant(workers, "more", settings).name == "more"
