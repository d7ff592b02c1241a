"""Restarts a variant that lost its CUDA context; prints the process ids before and after."""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from engine.log.directory import RunDirectory
from engine.log.follow import Follower
from engine.log.records import State
from engine.log.summary import Tally
from engine.session import Session
from engine.settings import RunSettings, Variant, VariantSettings

SETTINGS = VariantSettings(batch_size=64)


class Watcher:
    """A session of one variant, and its state."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.tally = Tally("A", SETTINGS)
        self._follow = Follower(session.run)

    def until(self, is_done: Callable[[], bool]) -> None:
        """Watch until the condition holds, 60 s at most."""
        end = time.monotonic() + 60
        while not is_done() and time.monotonic() < end:
            self.session.poll()
            for name, record in self._follow.read():
                if name == "A":
                    self.tally.add(record)
            time.sleep(0.05)


def main() -> None:
    settings = RunSettings(
        variants=(Variant(name="A", settings=SETTINGS),),
        problem=f"{sys.argv[2]}:assertion",
        device=sys.argv[1],
        epochs=1,
        measuring=False,
    )
    run = RunDirectory.create(Path(tempfile.mkdtemp()) / "run", settings, "0")
    with Session(run) as session:
        watcher = Watcher(session)
        session.start()
        watcher.until(lambda: watcher.tally.state in (State.FAILED, State.DIED))
        before = session.pids.get("A")
        session.restart({"A": SETTINGS})
        watcher.until(lambda: watcher.tally.generation > 1)
        print(json.dumps([before, session.pids.get("A")]))


if __name__ == "__main__":
    main()
