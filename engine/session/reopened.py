"""The session of a run whose workers have ended with an earlier session.

It starts no worker until a command asks for one. A worker then goes on where the log of its variant
ends, or begins the next generation if the command is a restart.
"""

from collections.abc import Mapping

from engine.log.commands import Extend, SetPace
from engine.log.directory import RunDirectory
from engine.log.filesystem.identity import FileIdentity
from engine.log.follow import Follower
from engine.log.records import CommandSent, Point, StateChanged, WorkerDied
from engine.log.summary import Tally
from engine.session.session import Session
from engine.settings import VariantSettings


class ReopenedSession(Session):
    """A session that continues the logs of an ended run."""

    def __init__(self, run: RunDirectory) -> None:
        super().__init__(run)
        self._resting = set(self._workers)
        """The variants that have had no worker in this session."""

    def start(self) -> None:
        """Take up the variants as their workers have left them; none begins to train."""
        tallies = {
            variant.name: Tally(variant.name, variant.settings)
            for variant in self.run.info.settings.variants
        }
        for name, record in Follower(self.run).read(10**9):
            tallies[name].add(record)
            match record:
                case StateChanged() | WorkerDied():
                    worker = self._workers[name]
                    worker.number = max(worker.number, record.worker)
                case CommandSent(command=Extend(epochs=epochs)):
                    self.epochs = epochs
                case CommandSent(command=SetPace(pace=pace)):
                    self._pace = pace
                case _:
                    pass
        for name, worker in self._workers.items():
            worker.is_dead, worker.threads = True, tallies[name].threads
            worker.is_removed = tallies[name].is_removed
            self.wanted[name] = tallies[name].settings
            log = self.run.variant_log(name)
            if log.exists():
                self.files.learn(name, FileIdentity.of(log))

    def restart(self, settings: Mapping[str, VariantSettings]) -> None:
        super().restart(settings)
        self._resting -= settings.keys()

    def rewind(self, settings: Mapping[str, VariantSettings], points: Mapping[str, Point]) -> None:
        super().rewind(settings, points)
        self._resting -= settings.keys()

    def extend(self, epochs: int) -> None:
        super().extend(epochs)
        resting = {name for name in self._resting if not self._workers[name].is_removed}
        self._go_on({name: self.wanted[name] for name in resting})

    def _go_on(self, settings: Mapping[str, VariantSettings]) -> None:
        """Train variants of the earlier session up to the epochs now requested."""
        for name, new in settings.items():
            worker = self._workers[name]
            worker.resumes = worker.number + 1
            self._replace(name, worker, new)
        self._resting -= settings.keys()
