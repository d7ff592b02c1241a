"""A session starts the workers of a run, commands them, detects their deaths, and stops them.

It is the only interface to a worker. Front ends read the run directory, not the session, except for
the notices from `poll`.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final, Self

from engine.jobs.child import finish
from engine.log.commands import (
    AnyCommand,
    Change,
    Extend,
    Measure,
    Pause,
    Resume,
    SetMeasuring,
    SetPace,
    StepOnce,
)
from engine.log.records import CommandSent, Point, VariantRemoved
from engine.session.remote_worker import RemoteWorker, Successor
from engine.session.variants.roster import announce, check_removal, new_variant, require
from engine.session.variants.watching import WatchedWorkers
from engine.settings import VariantSettings

_CLOSE_SECONDS: Final = 15.0
"""Seconds that workers get to write a checkpoint and close their logs before they are killed.

Most take less than a second; the rest is for large models, overloaded machines and slow disks.
"""


class Session(WatchedWorkers):
    """The workers of a run. Not thread-safe."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- Commands -------------------------------------------------------------------------------

    def change(self, settings: Mapping[str, VariantSettings]) -> None:
        """Train the named variants with these settings from their next group of batches on."""
        self._commands.tell({name: partial(Change, settings=new) for name, new in settings.items()})

    def restart(self, settings: Mapping[str, VariantSettings]) -> None:
        """Begin the next generation of the named variants; replace dead workers.

        Paused variants stay paused, at their initial weights.
        """
        for name, new in settings.items():
            self._begin_again(name, Successor(new))

    def rewind(self, settings: Mapping[str, VariantSettings], points: Mapping[str, Point]) -> None:
        """Take the named variants back to points of their own, to go on with these settings.

        Each begins the next generation at the last group boundary up to its point.
        """
        for name, new in settings.items():
            self._begin_again(name, Successor(new, points[name]))

    # --- Variants that come and go --------------------------------------------------------------

    def fork(self, settings: VariantSettings, point: Point, name: str = "") -> str:
        """Add a variant that begins at a point of another one; returns its name.

        `name`: "" to derive one. Raises VariantError, as `add` and `remove` do.
        """
        require(self._workers, point.variant)
        source = self._workers[point.variant]
        return self._add(name or point.variant, settings, source, point)

    def add(self, settings: VariantSettings, name: str = "") -> str:
        """Add a variant that begins at the initial weights; returns its name."""
        first = next(iter(self._workers))
        return self._add(name or first, settings, self._workers[first], None)

    def _add(
        self, name: str, settings: VariantSettings, like: RemoteWorker, origin: Point | None
    ) -> str:
        variant = new_variant(self._workers, name, settings)
        announce(self.run, self._log, variant, origin)
        place = [*self._workers].index(like.variant.name)
        device = like.device or self.run.info.settings.device_of(place)
        worker = RemoteWorker(variant, threads=like.threads, device=device, origin=origin)
        worker.is_paused = all(each.is_paused for each in self._workers.values())
        self._workers[variant.name] = worker
        self.added |= {variant.name}
        self.wanted[variant.name] = settings
        worker.begin(partial(self._task, worker, variant))
        self._commands.share()
        return variant.name

    def remove(self, names: Iterable[str]) -> None:
        """Stop the named variants and drop them from the comparison; restart takes one in again."""
        chosen = dict.fromkeys(names)
        check_removal(self._workers, chosen)
        for name in chosen:
            self._commands.drop(name)
            self._workers[name].remove(self._commands.last_id)
            self._log.write(VariantRemoved(variant=name))

    # --- Going on -------------------------------------------------------------------------------

    def pause(self) -> None:
        """Stop all variants after the current batch."""
        for worker in self._workers.values():
            worker.is_paused = True
        self._commands.tell(dict.fromkeys(self._workers, Pause))

    def resume(self) -> None:
        """Resume all variants, and retry logs that could not be written.

        If the run itself is gone, they resume as soon as it is back. Missing files are reported
        again.
        """
        self._log.retry()
        self.files.tell_again()
        for worker in self._workers.values():
            worker.is_paused = False
        if not self.files.is_run_gone:
            self._commands.tell(dict.fromkeys(self._workers, Resume))

    is_shared, hold, release = False, pause, resume
    """A pause for the time of other work; see RemoteSession, whose clients share the run."""

    def step_once(self, names: Iterable[str]) -> None:
        """Train the named variants for one update, then pause them."""
        chosen = dict.fromkeys(names, StepOnce)
        for name in chosen:
            self._workers[name].is_paused = True
        self._commands.tell(chosen)

    def set_pace(self, pace: float | None) -> None:
        """Set the pace of all variants in epochs per second; None means as fast as possible."""
        self._pace = pace
        self._commands.tell(dict.fromkeys(self._workers, partial(SetPace, pace=pace)))

    def extend(self, epochs: int) -> None:
        """Train all variants up to this many epochs in total."""
        self.epochs = epochs
        self._commands.tell(dict.fromkeys(self._workers, partial(Extend, epochs=epochs)))

    def measure(self, names: Iterable[str]) -> None:
        """Measure the noise scale and sharpness of the named variants now."""
        self._commands.tell(dict.fromkeys(names, Measure))

    def set_measuring(self, is_on: bool) -> None:
        """Set whether all variants measure periodically, or only on request."""
        self._measuring = is_on
        self._commands.tell(dict.fromkeys(self._workers, partial(SetMeasuring, is_on=is_on)))

    def take_sent(self) -> list[CommandSent]:
        """The commands since the last call; the log has them a moment later."""
        return self._commands.take_sent()

    @property
    def asked(self) -> Mapping[str, Sequence[AnyCommand]]:
        """No commands: each is numbered at once, and `take_sent` has it."""
        return {}

    # --- Stopping -------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop all workers and close the logs; kill a worker that does not stop. Safe to repeat."""
        if self._is_closed:
            return
        self._is_closed = True
        self._commands.stop()
        self._builds.close()
        children = [each.child for each in self._workers.values() if each.child is not None]
        finish(children, _CLOSE_SECONDS)
        self._log.close()
        self.run.custody.remove_handover()
        self.run.custody.release()
