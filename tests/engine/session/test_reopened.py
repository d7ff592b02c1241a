"""A session that takes up an ended run: nothing trains until a command asks for it."""

import pytest
from sessions import StartRun, Watched, check_contiguous

from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.file import LogReader
from engine.log.records import Chunk, Point, Resumed, State
from engine.session.reopened import ReopenedSession


def test_an_ended_run_goes_on_once_it_is_continued(start_run: StartRun) -> None:
    first = start_run((64, 4), epochs=2)
    first.until(lambda: first.states() == {State.FINISHED})
    first.session.close()
    stored = first.run
    run = RunDirectory.open(stored.path)
    run.hold()
    with pytest.raises(RunDirectoryError, match="in use"):
        RunDirectory.open(stored.path).hold()
    with ReopenedSession(run) as session:
        session.start()
        watched = Watched(session)
        watched.look()
        assert watched.states() == {State.FINISHED}
        assert session.pids == {}
        session.extend(3)
        watched.until(lambda: all(t.epoch == 3 for t in watched.tallies.values()))
        watched.until(lambda: watched.states() == {State.FINISHED})
        assert watched.notices == []
        last = watched.names[-1]
        session.restart({last: session.wanted[last]})
        watched.until(lambda: watched.tallies[last].generation == 2)
        first = watched.names[0]
        session.rewind({last: session.wanted[last]}, {last: Point(generation=1, batches=525)})
        fork = session.fork(session.wanted[first], Point(variant=first, batches=32))
        watched.until(lambda: fork in watched.tallies)
        watched.until(lambda: watched.states() == {State.FINISHED})
        assert watched.tallies[last].generation == 3
    assert watched.losses(fork) == watched.losses(first)[4 * 32 :]
    for name in watched.names:
        resumed, *_ = watched.of(name, Resumed)
        assert resumed.checkpoint == resumed.batches  # type: ignore[union-attr]
        chunks = [each for each in watched.of(name, Chunk) if each.generation == 1]  # type: ignore[union-attr]
        assert {each.last_epoch for each in chunks} == {1, 2, 3}  # type: ignore[union-attr]
        check_contiguous(chunks)  # type: ignore[arg-type]
        reader = LogReader(run.variant_log(name))
        assert list(reader)
        assert reader.is_complete
    RunDirectory.open(stored.path).hold()
