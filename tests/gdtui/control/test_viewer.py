"""A viewer reads the past of a run to its end, and notices commands of others at once."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from long_logs import begun, long_run, trained

from engine.log.commands import Pause
from engine.log.directory import RunDirectory
from engine.log.file import frame
from engine.log.reading.loss_block import LossBlock
from engine.log.records import AnyRecord, CommandSent
from gdtui.chart.scene.polyline import Axis
from gdtui.control import viewer as module
from gdtui.control.viewer import Viewer
from gdtui.state.overlay.opening import open_runs
from gdtui.state.overlay.shown_runs import ShownRuns
from gdtui.state.record_source import LogSource
from gdtui.view.view_state import ViewState


class Commanded(LogSource):
    """A source with one more record, of a command."""

    def portions(self, most: int) -> Iterator[tuple[str, AnyRecord | LossBlock]]:
        yield from super().portions(most)
        yield "SGD", CommandSent(variant="SGD", command=Pause(id=1))


def test_a_long_past_is_read_in_parts_until_its_end(
    make_run: Callable[..., RunDirectory], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(epochs=1000)
    viewer = Viewer(ShownRuns.of(run), LogSource(run), ViewState())
    monkeypatch.setattr(module.time, "monotonic", iter(range(10**9)).__next__)
    monkeypatch.setattr(module, "READ_BYTES", 1 << 14)
    parts = 0
    while viewer.is_catching_up:
        viewer.read()
        parts += 1
    assert parts > 4
    assert [each.tally.epoch for each in viewer.store.states] == [1000, 1000]
    assert not viewer.take_news()


def test_a_command_is_news_once(make_run: Callable[..., RunDirectory]) -> None:
    run = make_run()
    viewer = Viewer(ShownRuns.of(run), Commanded(run), ViewState())
    viewer.read()
    assert (viewer.take_news(), viewer.take_news()) == (True, False)


def long_past(folder: Path, *names: str) -> Viewer:
    """A viewer of runs whose reading takes several portions."""
    logs = [[*begun(), *trained(20_000)], [*begun(), *trained(20_000, level=0.5)]]
    paths = [long_run(folder / name, *logs).path for name in names]
    opened = open_runs(paths, [])
    return Viewer(opened.shown, opened.source, ViewState())


@pytest.fixture
def previewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even short pasts have a preview, and each read takes only a part of them."""
    monkeypatch.setattr(module, "LONG", 1)
    monkeypatch.setattr(module, "READ_BYTES", 1 << 12)
    monkeypatch.setattr(module.time, "monotonic", iter(range(10**9)).__next__)


@pytest.mark.usefixtures("previewed")
@pytest.mark.parametrize("names", [("one",), ("one", "two")])
def test_charts_are_of_a_sample_until_all_is_read(tmp_path: Path, names: tuple[str, ...]) -> None:
    viewer = long_past(tmp_path, *names)
    shares, ends = [], set()
    while viewer.is_catching_up:
        viewer.read()
        if viewer.share_read is not None:
            shares.append(viewer.share_read)
            assert viewer.charted is not viewer.store
            ends |= {one.current and one.current.history.end(Axis.SAMPLES)
                     for one in viewer.charted.states}  # fmt: skip
            assert viewer.seen.high >= 20_000
    assert len(shares) > 4
    assert shares == sorted(shares)
    assert 0 <= shares[0] < shares[-1] < 1
    assert ends == {20_000.0}
    assert viewer.charted is viewer.store
    assert viewer.share_read is None
    assert [one.tally.batches for one in viewer.store.states] == [20_000] * 2 * len(names)


@pytest.mark.usefixtures("previewed")
def test_a_short_past_and_a_damaged_one_have_no_preview(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = long_past(tmp_path, "one")
    log = damaged.shown.runs[0].variant_log("B")
    log.write_bytes(log.read_bytes()[:1_000] + bytes(100_000))
    for viewer, shortest in ((damaged, 1), (long_past(tmp_path, "two"), 10**9)):
        monkeypatch.setattr(module, "LONG", shortest)
        while viewer.is_catching_up:
            viewer.read()
            assert viewer.charted is viewer.store


@pytest.mark.parametrize(
    ("batches", "can_skip", "is_flooded"),
    [(6_000, True, True), (200, True, False), (100, False, False)],
)
def test_every_second_frame_of_a_flood_needs_no_read_unless_an_answer_is_awaited(
    batches: int, can_skip: bool, is_flooded: bool, tmp_path: Path
) -> None:
    run = long_run(tmp_path / "run", [*begun(), *trained(batches)])
    viewer = Viewer(ShownRuns.of(run), LogSource(run), ViewState())
    assert not viewer.can_skip_read(0.1)
    viewer.read()
    assert viewer.can_skip_read(0.1) is can_skip
    assert viewer.is_flooded is is_flooded
    assert not viewer.can_skip_read(0.1)
    viewer.read()  # brings nothing
    assert not viewer.can_skip_read(0.1)


def test_a_flood_can_go_unread_for_longer_and_is_judged_by_what_a_frame_brings(
    tmp_path: Path,
) -> None:
    run = long_run(tmp_path / "run", [*begun(), *trained(6_000)])
    viewer = Viewer(ShownRuns.of(run), LogSource(run), ViewState())
    viewer.read()
    assert [viewer.can_skip_read(0.1, most=3) for _ in range(5)] == [True] * 3 + [False] * 2
    assert viewer.is_flooded, "by the read before, which was for one frame"
    with run.variant_log("A").open("ab") as log:
        log.write(b"".join(map(frame, trained(9_000, after=6_000))))
    viewer.read()
    assert not viewer.is_flooded, "9,000 in four frames"
    assert viewer.can_skip_read(0.1, most=3)


@pytest.mark.parametrize(("reads", "frame"), [(2, 0.1), (1, 0.5)])
def test_a_key_or_a_slow_frame_is_followed_by_a_read(
    tmp_path: Path, reads: int, frame: float
) -> None:
    run = long_run(tmp_path / "run", [*begun(), *trained(6_000)])
    viewer = Viewer(ShownRuns.of(run), LogSource(run), ViewState())
    for _ in range(reads):
        viewer.read()
    assert not viewer.can_skip_read(frame)


def test_an_awaited_answer_is_read_with_the_next_frame(tmp_path: Path) -> None:
    run = long_run(tmp_path / "run", [*begun(), *trained(6_000)])
    name = run.info.settings.variants[0].name
    viewer = Viewer(ShownRuns.of(run), LogSource(run), ViewState())
    viewer.read()
    viewer.store.add(name, CommandSent(variant=name, command=Pause(id=1)))
    assert not viewer.can_skip_read(0.1)
