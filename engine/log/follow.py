"""Reads all logs of a run as they grow; used for the live view, stored runs and headless runs."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.file import LogDamagedError, LogReader
from engine.log.records import (
    AnyRecord,
    CommandSent,
    VariantAdded,
    VariantRemoved,
    WorkerDied,
    WorkerReplaced,
)

if TYPE_CHECKING:
    from engine.log.reading.loss_block import LossBlock  # imports numpy

_ABOUT_VARIANTS = (CommandSent, VariantAdded, VariantRemoved, WorkerDied, WorkerReplaced)


class Follower:
    """Reader of new records in a run's logs, each with the name of the variant it concerns.

    Variants that are added meanwhile are read as well; `run.info` then names them, too.
    """

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._variants = {
            variant.name: LogReader(run.variant_log(variant.name))
            for variant in run.info.settings.variants
        }
        self._session = LogReader(run.session_log, frozenset(self._variants))
        self.damage: list[LogDamagedError] = []
        """One error per damaged log; its earlier records were read, and other logs still are."""

    def read(self, limit: int = 100_000) -> Iterator[tuple[str, AnyRecord]]:
        """Records since the last call, at most about `limit` per log; the rest in later calls."""
        for name, reader in self._variants.items():
            for record in self._undamaged(reader, limit):
                yield name, record
        yield from self._about_variants(self._undamaged(self._session, limit))

    def portions(self, most: int) -> "Iterator[tuple[str, AnyRecord | LossBlock]]":
        """As `read`, up to about `most` bytes per log; long stretches of losses come as blocks.

        `has_more` says whether any log has more.
        """
        for name, reader in self._variants.items():
            for part in self._portion(reader, most):
                yield name, part
        yield from self._about_variants(self._portion(self._session, most))

    @property
    def has_more(self) -> bool:
        """True if the last portion of any log ended before the log did."""
        return any(each.has_more for each in (*self._variants.values(), self._session))

    @property
    def bytes_read(self) -> int:
        """Bytes read of the logs of all variants."""
        return sum(each.offset for each in self._variants.values())

    def _portion(self, reader: LogReader, most: int) -> "list[AnyRecord | LossBlock]":
        if reader.damage is not None:
            return []
        parts = reader.portion(most)
        if reader.damage is not None:
            self.damage.append(reader.damage)
        return parts

    def _about_variants(
        self, records: "Iterable[AnyRecord | LossBlock]"
    ) -> Iterator[tuple[str, AnyRecord]]:
        """The records of the session's log that are about variants."""
        for record in records:
            if isinstance(record, VariantAdded):
                self._take_in(record.variant)
            if isinstance(record, _ABOUT_VARIANTS) and record.variant in self._variants:
                yield record.variant, record

    def _take_in(self, name: str) -> None:
        """Follow the log of a variant that was added since the run was opened."""
        if name in self._variants:
            return
        with contextlib.suppress(RunDirectoryError):  # then there is no such log to read
            if all(name != each.name for each in self._run.info.settings.variants):
                self._run.info = RunDirectory.open(self._run.path).info
            self._variants[name] = LogReader(self._run.variant_log(name))

    @property
    def absent(self) -> dict[str | None, str]:
        """Variants whose logs were removed or replaced since they were read, each with the reason.

        The key None stands for the session's log.
        """
        readers = [(None, self._session), *self._variants.items()]
        return {name: reason for name, each in readers if (reason := each.absence)}

    def unfinished(self) -> list[str]:
        """Variants whose log has no end record: it is still being written, or was cut short."""
        return [name for name, reader in self._variants.items() if not reader.is_complete]

    def _undamaged(self, reader: LogReader, limit: int) -> Iterator[AnyRecord]:
        if reader.damage is not None:
            return
        try:
            for count, record in enumerate(reader, start=1):
                yield record
                if count >= limit:
                    return
        except LogDamagedError as error:
            self.damage.append(error)


def removed_variants(run: RunDirectory) -> frozenset[str]:
    """The variants that have been removed from a run by now."""
    removed: set[str] = set()
    with contextlib.suppress(LogDamagedError):
        for record in LogReader(run.session_log):
            if isinstance(record, VariantRemoved):
                removed.add(record.variant)
            elif isinstance(record, WorkerReplaced):
                removed.discard(record.variant)
    return frozenset(removed)
