"""Several runs as one source of records, with each variant under its name on screen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from engine.log.notices import Notice, NoticeKind
from engine.log.reading.loss_block import LossBlock
from engine.log.records import AnyRecord
from gdtui.state.record_source import RecordSource, ViewerRole


@dataclass(frozen=True, slots=True)
class MergedMember:
    """The source of one run, and its variants' names on screen by their names in the run."""

    source: RecordSource
    names: Mapping[str, str]


class MergedSource:
    """The records of several runs that are watched."""

    role = ViewerRole.WATCHER
    obeyed: frozenset[str] | None = frozenset()

    def __init__(self, members: Sequence[MergedMember]) -> None:
        self._members = list(members)

    def portions(self, most: int) -> Iterator[tuple[str, AnyRecord | LossBlock]]:
        """Yield the new records of each run, since all of them grow at the same time."""
        for member in self._members:
            for name, part in member.source.portions(most):
                if name in member.names:  # not one that was added since
                    yield member.names[name], part

    @property
    def has_more(self) -> bool:
        """True if any run has more."""
        return any(member.source.has_more for member in self._members)

    @property
    def bytes_read(self) -> int:
        """Bytes read of all runs' logs."""
        return sum(member.source.bytes_read for member in self._members)

    def notices(self) -> list[Notice]:
        """The notices of all runs; one about a whole run becomes one about each of its variants."""
        return [
            replace(notice, variant=name)
            for member in self._members
            for notice in member.source.notices()
            for name in _names_on_screen(notice, member)
        ]

    def now(self) -> float:
        """The latest current time among the runs."""
        return max((member.source.now() for member in self._members), default=0.0)


def _names_on_screen(notice: Notice, member: MergedMember) -> list[str | None]:
    """The variants that a run's notice is about; None if it does not affect their state."""
    if notice.variant:
        return [member.names[notice.variant]]
    if notice.kind in (NoticeKind.LOG_GONE, NoticeKind.LOG_UNBLOCKED):
        return [*member.names.values()]
    return [None]
