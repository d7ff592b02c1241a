"""A script that was killed is shown as ended while another one of its run trains on."""

import time
from pathlib import Path

from portions import portion
from script_loops import ScriptLoop, loop_elsewhere
from sessions import PATIENCE

from engine.log.directory import RunDirectory
from engine.log.records import State
from gdtui.state.overlay.watch_source import WatchSource
from gdtui.state.store import Store


class Reading:
    """A viewer of the run in `path`, whose clock stands until it is moved."""

    def __init__(self, path: Path) -> None:
        run = RunDirectory.open(path)
        self.now = 0.0
        self.source = WatchSource(run, lambda: self.now)
        self.store = Store(run.info.settings)

    def states(self) -> dict[str, State]:
        self.now += 2
        for name, record in portion(self.source):
            self.store.add(name, record)
        return {name: each.tally.state for name, each in self.store.variants.items()}

    def reach(self, first: State, second: State, loop: ScriptLoop) -> None:
        """Read until the variants have these states, while the second loop trains."""
        deadline = time.monotonic() + PATIENCE
        while self.states() != {"first": first, "second": second}:
            assert time.monotonic() < deadline
            loop.train()
            time.sleep(0.01)


def test_a_killed_script_is_shown_as_ended(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with loop_elsewhere(path, "first") as process:
        second = ScriptLoop(path, "second")
        reading = Reading(path)
        reading.reach(State.RUNNING, State.RUNNING, second)
        for _ in range(3):
            assert reading.states()["first"] is State.RUNNING
        process.kill()
        reading.reach(State.DIED, State.RUNNING, second)
        second.run.close()
        reading.reach(State.DIED, State.STOPPED, second)
