"""Several sources as one: every record once, under its name on screen, and each run in its turn."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.log.notices import Notice, NoticeKind
from engine.log.records import AnyRecord, State, StateChanged
from gdtui.state.overlay.merged_source import MergedMember, MergedSource
from gdtui.state.record_source import ViewerRole


class StillSource:
    """Records that are there already, of one variant."""

    role = ViewerRole.WATCHER
    obeyed: frozenset[str] | None = frozenset()

    def __init__(self, count: int, notices: tuple[Notice, ...] = ()) -> None:
        self._left = [
            StateChanged(generation=1, state=State.RUNNING, detail=str(place))
            for place in range(count)
        ]
        self._notices = notices
        self.time = 0.0

    def portions(self, most: int) -> Iterator[tuple[str, AnyRecord]]:
        """One record for each of so many bytes."""
        for _ in range(min(most, len(self._left))):
            yield "SGD", self._left.pop(0)

    @property
    def has_more(self) -> bool:
        return bool(self._left)

    @property
    def bytes_read(self) -> int:
        return 0

    def notices(self) -> list[Notice]:
        return list(self._notices)

    def now(self) -> float:
        return self.time


def merged(*counts: int) -> MergedSource:
    return MergedSource(
        [
            MergedMember(StillSource(count), {"SGD": name})
            for name, count in zip("abcdef", counts, strict=False)
        ]
    )


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6), st.integers(1, 20))
def test_every_record_comes_once_and_in_its_order(counts: list[int], most: int) -> None:
    source = merged(*counts)
    found: dict[str, list[str]] = {name: [] for name in "abcdef"[: len(counts)]}
    while True:
        records = list(source.portions(most))
        assert len(records) <= most * len(counts)
        for name, record in records:
            assert isinstance(record, StateChanged)
            found[name].append(record.detail)
        if not source.has_more:
            break
    assert found == {
        name: [str(place) for place in range(count)]
        for name, count in zip("abcdef", counts, strict=False)
    }


def test_no_run_waits_for_another_to_be_read_to_its_end() -> None:
    names = {name for name, _ in merged(1000, 1000, 1000).portions(10)}
    assert names == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("kind", "variant", "told"),
    [
        (NoticeKind.DIED, "SGD", ["b"]),
        (NoticeKind.LOG_GONE, None, ["b", "c"]),
        (NoticeKind.SERVER_DIED, None, [None]),
    ],
)
def test_a_notice_is_about_the_variants_of_its_run_as_they_are_called_on_screen(
    kind: NoticeKind, variant: str | None, told: list[str | None]
) -> None:
    notice = Notice(kind=kind, variant=variant, text="so it is")
    source = MergedSource(
        [
            MergedMember(StillSource(0), {"SGD": "a"}),
            MergedMember(StillSource(0, (notice,)), {"SGD": "b", "Adam": "c"}),
        ]
    )
    assert [(each.kind, each.variant) for each in source.notices()] == [(kind, one) for one in told]


def test_the_time_is_that_of_the_latest_run() -> None:
    sources = [StillSource(0), StillSource(0)]
    sources[0].time = 7.0
    source = MergedSource([MergedMember(each, {"SGD": "a"}) for each in sources])
    assert source.now() == 7.0
