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

    def read(self, limit: int) -> Iterator[tuple[str, AnyRecord]]:
        for _ in range(min(limit, len(self._left))):
            yield "SGD", self._left.pop(0)

    def notices(self) -> list[Notice]:
        return list(self._notices)

    def now(self) -> float:
        return 0.0


def merged(*counts: int) -> MergedSource:
    return MergedSource(
        [
            MergedMember(StillSource(count), {"SGD": name})
            for name, count in zip("abcdef", counts, strict=False)
        ]
    )


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6), st.integers(1, 20))
def test_every_record_comes_once_and_in_its_order(counts: list[int], limit: int) -> None:
    source = merged(*counts)
    found: dict[str, list[str]] = {name: [] for name in "abcdef"[: len(counts)]}
    while records := list(source.read(limit)):
        assert len(records) < limit + len(counts) * max(limit // len(counts), 1)
        for name, record in records:
            assert isinstance(record, StateChanged)
            found[name].append(record.detail)
    assert found == {
        name: [str(place) for place in range(count)]
        for name, count in zip("abcdef", counts, strict=False)
    }


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6), st.integers(1, 20))
def test_fewer_than_the_limit_come_only_when_no_run_has_more(counts: list[int], limit: int) -> None:
    source = merged(*counts)
    if len(list(source.read(limit))) < limit:
        assert list(source.read(limit)) == []


def test_no_run_waits_for_another_to_be_read_to_its_end() -> None:
    names = {name for name, _ in merged(1000, 1000, 1000).read(30)}
    assert names == {"a", "b", "c"}


@pytest.mark.parametrize(("variant", "told"), [("SGD", "b"), (None, None)])
def test_a_notice_is_about_the_variant_as_it_is_called_on_screen(
    variant: str | None, told: str | None
) -> None:
    notice = Notice(kind=NoticeKind.DIED, variant=variant, text="damaged")
    source = MergedSource(
        [
            MergedMember(StillSource(0), {"SGD": "a"}),
            MergedMember(StillSource(0, (notice,)), {"SGD": "b"}),
        ]
    )
    assert source.notices() == [Notice(kind=NoticeKind.DIED, variant=told, text="damaged")]


@pytest.mark.parametrize("kind", [NoticeKind.LOG_GONE, NoticeKind.LOG_UNBLOCKED])
def test_a_run_that_is_gone_is_news_of_its_own_variants(kind: NoticeKind) -> None:
    """The others go on."""
    gone = StillSource(0, (Notice(kind=kind, variant=None, text="gone"),))
    source = MergedSource(
        [
            MergedMember(gone, {"SGD": "a", "Mini-batch": "b"}),
            MergedMember(StillSource(0), {"SGD": "c"}),
        ]
    )
    assert [notice.variant for notice in source.notices()] == ["a", "b"]
