"""A session that takes up an ended run: nothing trains until a command asks for it."""

from collections.abc import Callable

import pytest
from sessions import Watched

from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.file import LogReader
from engine.log.notices import NoticeKind
from engine.log.records import Chunk, State
from engine.session.reopened import ReopenedSession

MakeRun = Callable[..., RunDirectory]


def test_an_ended_run_trains_again_once_it_is_continued(make_run: MakeRun) -> None:
    stored = make_run(epochs=2)
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
        watched.until(lambda: all(t.generation == 2 for t in watched.tallies.values()))
        watched.until(lambda: watched.states() == {State.FINISHED})
        assert [notice.kind for notice in watched.notices] == [NoticeKind.BEGUN_AGAIN]
        session.restart({"SGD": session.wanted["SGD"]})
        watched.until(lambda: watched.tallies["SGD"].generation == 3)
    for name in watched.names:
        epochs = {each.epoch for each in watched.of(name, Chunk) if each.generation == 2}  # type: ignore[union-attr]
        assert epochs == {1, 2, 3}
        reader = LogReader(run.variant_log(name))
        assert list(reader)
        assert reader.is_complete
    RunDirectory.open(stored.path).hold()
