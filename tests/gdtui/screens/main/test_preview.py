"""A long past on screen: its curves from a sample first, then those of all losses."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from app_bench import WIDE, row, see, settle
from long_logs import begun, long_run, trained
from shown import ObservedApp, text_of

from engine.log.reading.loss_block import LossBlock
from engine.log.records import AnyRecord
from gdtui.chart.scene.picture import Picture
from gdtui.chart.widget.chart import Chart
from gdtui.control import viewer
from gdtui.state.overlay.shown_runs import ShownRuns
from gdtui.state.overlay.watch_source import WatchSource

BATCHES = 40_000


class Held(WatchSource):
    """Logs of which only the first part is read until `goes_on`."""

    goes_on = False

    def portions(self, most: int) -> Iterator[tuple[str, AnyRecord | LossBlock]]:
        if self.goes_on or not self.bytes_read:
            yield from super().portions(most if self.goes_on else 1 << 14)

    @property
    def has_more(self) -> bool:
        return not self.goes_on or super().has_more


def charts(app: ObservedApp) -> list[Picture]:
    return [each.picture for each in app.query(Chart) if each.picture is not None]


async def test_curves_are_whole_before_the_past_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewer, "LONG", 1)
    logs = [[*begun(), *trained(BATCHES, level=level)] for level in (0.0, 0.5)]
    run = long_run(tmp_path / "run", *logs)
    source = Held(run, is_written=lambda _: True)
    app = ObservedApp(ShownRuns.of(run), None, source=source, fps=4)
    async with app.run_test(size=WIDE) as pilot:
        await see(pilot, "reading ")
        await settle(pilot)
        assert "updates" in text_of(app)
        assert f"{BATCHES:,} updates" not in text_of(app), "figures are those of what was read"
        before = charts(app)
        assert len(before) == 3
        for picture in before:
            assert all(each.line.x[-1] > 0.9 * BATCHES for each in picture.series)
            assert (picture.headline, picture.above, picture.below) == ("", "", "")
        assert [each.end for each in before[0].series] == ["1 A", "2 B"]
        assert "0.5" not in before[0].title
        await pilot.press("+")
        assert "reading " in row(app, "gdtui")

        await pilot.press("-")
        source.goes_on = True
        await see(pilot, f"{BATCHES:,} updates")
        await settle(pilot)
        assert "reading" not in text_of(app)
        after = charts(app)
        assert "0.5" in after[0].headline
        assert [each.end.rpartition(" ")[0] for each in after[0].series] == ["1 A", "2 B"]
        assert [(each.x, each.y) for each in after] == [(each.x, each.y) for each in before]
