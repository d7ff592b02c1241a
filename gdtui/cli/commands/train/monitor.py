"""The records and notices of a run while `gdtui train` trains it, up to its end."""

import contextlib
import time
from collections.abc import Iterable, Mapping
from typing import Final

from engine.log.directory import RunDirectory
from engine.log.figures.batch_noise import BatchNoise
from engine.log.figures.growth import verdict
from engine.log.follow import Follower
from engine.log.notices import Notice, NoticeKind
from engine.log.reading.failures import failure_reason, has_printed
from engine.log.reading.notes import resumed_notes
from engine.log.records import Refused, Resumed, Started, State, VariantAdded, WorkerDied
from engine.log.summary import Tally
from engine.session.past import ResumedRun
from gdtui.cli.commands.progress_report import ProgressReport
from gdtui.cli.commands.train.hosting import HostedSession
from gdtui.cli.streams import print_error
from gdtui.view.text.progress.training import TrainingProgress
from gdtui.view.text.reports.failures import failure_lines, output_line

TICK: Final = 0.05
"""Seconds between two reads of the logs."""
_RETRY: Final = 3.0
"""Seconds between two attempts to write to a log that cannot be written."""
_GRACE: Final = 0.5
"""Seconds granted for measuring at the last weights."""
_GRACE_SHARE: Final = 0.02
_MOST_GRACE: Final = 5.0
"""The same as a share of the training time, if that is longer, and at most."""

WAITS: Final = {NoticeKind.LOG_BLOCKED: True, NoticeKind.LOG_GONE: True}
"""For a process that trains for as long as it takes; see `RunMonitor`."""
_WAITING: Final = {
    NoticeKind.LOG_BLOCKED: ", and it continues by itself",
    NoticeKind.LOG_GONE: "; paused until it is back, Ctrl+C ends it",
}
_STOPPED: Final = {
    NoticeKind.LOG_BLOCKED: "stopped, and not waiting for space (--on-full wait does). "
    "Safe in {run}",
    NoticeKind.LOG_GONE: "stopped: nothing more could be kept of this run. Read until then",
}


class RunMonitor:
    """The records of a run while it trains, up to its end, and the notices of its session."""

    def __init__(
        self, run: RunDirectory, shown: ProgressReport, waits: Mapping[NoticeKind, bool]
    ) -> None:
        """`waits`: for each kind of notice that writing failed, True to wait, False to stop."""
        self._run = run
        self._began = time.time()
        self._waits = waits
        self._stopped_by: NoticeKind | None = None
        self._shown = shown
        self._follower = Follower(run)
        self.tallies = [
            Tally(variant.name, variant.settings, batch_noise=BatchNoise())
            for variant in run.info.settings.variants
        ]
        self._progress = TrainingProgress(self.tallies)
        self._by_name = {tally.name: tally for tally in self.tallies}
        self._dead: dict[str, WorkerDied] = {}
        """Deaths reported by the session, since its log may be the one that cannot be written."""
        self._goes_on = isinstance(run, ResumedRun)
        self._has_begun = False
        """True once every variant of a new run trains: then there is something to keep."""
        self._said: set[str] = set()
        self._refused: set[str] = set()
        """Variants whose latest settings were refused by their worker."""
        self._is_blocked = False
        """True while a log waits for space, as far as is known."""
        self._retry_at: float | None = None

    @property
    def is_over(self) -> bool:
        """True once all variants have ended, or there is no point in going on."""
        return (
            self.usage_error is not None
            or self._stopped_by is not None
            or bool(self._follower.damage)
            or self.has_ended
        )

    @property
    def is_empty(self) -> bool:
        """True if the disk was too full for a single batch."""
        is_full = self._stopped_by is NoticeKind.LOG_BLOCKED
        return is_full and not any(tally.batches for tally in self.tallies)

    @property
    def has_ended(self) -> bool:
        """True while all variants have ended; a command may begin them again."""
        return all(tally.state.is_ended for tally in self.tallies)

    @property
    def is_under_way(self) -> bool:
        """True once every variant trains, or has ended."""
        return all(tally.state is not State.STARTING for tally in self.tallies)

    def linger(self, session: HostedSession, received: list[int]) -> None:
        """Give finished variants a moment to be measured at their last weights."""
        trained = max((tally.seconds for tally in self.tallies), default=0.0)
        until = time.monotonic() + max(_GRACE, min(_GRACE_SHARE * trained, _MOST_GRACE))
        while self._is_measuring and not received and time.monotonic() < until:
            session.host.wait(TICK / 5)
            self.look(session)

    @property
    def _is_measuring(self) -> bool:
        done = [tally for tally in self.tallies if tally.state is State.FINISHED]
        return any(tally.is_measuring and not _is_measured(tally) for tally in done)

    @property
    def usage_error(self) -> str | None:
        """The usage error that only a worker could find, such as a device that is missing.

        None if there is something to keep, e.g. because the command that added the variant was
        wrong: then that variant alone has failed.
        """
        wrong = [tally.detail for tally in self.tallies if tally.is_usage_error]
        if not wrong or self._has_begun or (self._goes_on and len(wrong) < len(self.tallies)):
            return None
        return wrong[0]

    def look(self, session: HostedSession) -> None:
        """Take in news and show it; retry a log that could not be written."""
        self.heed(session.poll(), session)
        self.follow(session)
        self._progress.follow()
        if self._shown.is_due:
            self._shown.show(self._progress.look())

    def heed(
        self, notices: Iterable[Notice], session: HostedSession, *, is_alone: bool = True
    ) -> None:
        """Take in notices. A process that `is_alone` retries to write; else a user decides."""
        for notice in notices:
            if (
                notice.kind in (NoticeKind.DIED, NoticeKind.NOT_STARTED)
                and notice.variant is not None
            ):
                self._dead[notice.variant] = WorkerDied(variant=notice.variant, detail=notice.text)
            else:
                self._heed(notice)
        if is_alone and self._is_blocked and self._retry_at is None:
            self._retry_at = time.monotonic() + _RETRY
        if is_alone and self._retry_at is not None and time.monotonic() >= self._retry_at:
            self._retry_at = None
            self._is_blocked = False  # the notice is repeated if it fails again
            session.resume()

    def follow(self, session: HostedSession) -> None:
        """Read the logs; the next command starts from the settings in force."""
        self.read()
        while self._refused:
            name = self._refused.pop()
            session.wanted[name] = self._by_name[name].settings

    def _heed(self, notice: Notice) -> None:
        """Print a notice; wait until its cause is gone, or stop."""
        waits = self._waits.get(notice.kind)
        text = f"{notice.text}{_WAITING[notice.kind]}" if waits else notice.text
        self._say_once(f"{notice.variant}: {text}" if notice.variant else text)
        if waits is False:
            self._stopped_by = notice.kind
        if waits and notice.kind is NoticeKind.LOG_BLOCKED:
            self._is_blocked = True
        elif notice.kind is NoticeKind.LOG_UNBLOCKED:
            self._is_blocked = False

    def read(self) -> None:
        """Take in everything that the logs hold by now."""
        is_new = True
        while is_new:
            is_new = False
            for name, record in self._follower.read():
                if isinstance(record, VariantAdded):
                    self._take_in(record)
                self._by_name[name].add(record)
                if isinstance(record, Started) and record.device_note:
                    self._say_once(record.device_note)
                if isinstance(record, Resumed) and record.wall_time >= self._began:
                    for text in resumed_notes(name, record):
                        self._say_once(text)
                if isinstance(record, Refused):
                    self._refused.add(name)
                is_new = True
        for name, death in self._dead.items():
            self._by_name[name].add(death)
        if not (self._has_begun or self._goes_on):
            self._has_begun = self.is_under_way and self.usage_error is None

    def _take_in(self, record: VariantAdded) -> None:
        if record.variant not in self._by_name:
            tally = Tally(record.variant, record.settings, batch_noise=BatchNoise())
            self._by_name[record.variant] = tally
            self.tallies.append(tally)

    def close(self) -> None:
        """Killed variants, found after the session's end, since a killed worker reports nothing."""
        for tally in self.tallies:
            if not tally.state.is_ended:
                tally.state = State.STOPPED

    def explain_failures(self, *, debug: bool) -> bool:
        """Report failures on stderr; True if there were any."""
        for damage in self._follower.damage:
            say(str(damage))
        if self._stopped_by is not None:
            safe = ", ".join(f"{each.name} to batch {each.batches:,}" for each in self.tallies)
            say(f"{_STOPPED[self._stopped_by].format(run=self._run.path)}: {safe}")
        broken = [tally for tally in self.tallies if tally.state.is_broken]
        reasons = [(each.name, failure_reason(each.state, each.detail)) for each in broken]
        for line in failure_lines(reasons):
            say(line)
        if debug:
            for text in dict.fromkeys(each.traceback for each in broken if each.traceback):
                print_error(text.rstrip())
        for tally in broken:
            output = self._run.variant_output(tally.name)
            if has_printed(output, tally.traceback):
                say(output_line(tally.name, output))
        return bool(broken or self._follower.damage or self._stopped_by)

    def note_growth(self) -> None:
        """Note on stderr which variants finished with a loss above that at their start."""
        for tally in self.tallies:
            if tally.state is State.FINISHED and verdict(tally.growth):
                say(
                    f"{tally.name}: finished, but with a loss {tally.growth:.3g} × that at its "
                    "start; a smaller --lr may help"
                )

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._shown.erase()
            say(text)


def say(text: str) -> None:
    """Print a line on stderr, or leave it to the file that replaces a terminal that is gone."""
    with contextlib.suppress(OSError):  # the stream keeps the text
        print_error(f"gdtui train: {' '.join(text.split())}")


def _is_measured(tally: Tally) -> bool:
    """True if noise scale and sharpness have been measured with the current weights."""
    found = tally.noise, tally.sharpness
    return all(each is not None and each.updates == tally.updates for each in found)
