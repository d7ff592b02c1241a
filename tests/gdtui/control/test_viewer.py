"""A viewer reads the past of a run to its end, and notices commands of others at once."""

from collections.abc import Callable, Iterator

import pytest

from engine.log.commands import Pause
from engine.log.directory import RunDirectory
from engine.log.reading.loss_block import LossBlock
from engine.log.records import AnyRecord, CommandSent
from gdtui.control import viewer as module
from gdtui.control.viewer import Viewer
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
