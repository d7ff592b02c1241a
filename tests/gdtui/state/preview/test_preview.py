"""Curves from a sample of long logs lie and end where those of all losses do."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from long_logs import N, begun, long_run, origin_at, trained
from msgspec.structs import replace
from plain_chunks import plain_chunk

from engine.log.commands import Extend
from engine.log.directory import RunDirectory
from engine.log.file import frame
from engine.log.records import (
    Changed,
    Chunk,
    CommandSent,
    End,
    Evaluation,
    Record,
    Scalars,
    State,
    StateChanged,
    VariantRemoved,
)
from engine.settings import VariantSettings
from gdtui.chart.scene.polyline import Axis
from gdtui.history import History
from gdtui.state.overlay.shown_runs import ShownRuns
from gdtui.state.preview.preview import Preview
from gdtui.state.record_source import LogSource
from gdtui.state.store import Store

LENGTH = 40_000
"""Batches of a log: 240 KB."""


def previewed(run: RunDirectory) -> Store | None:
    preview = Preview(ShownRuns.of(run))
    while preview.take_on():
        pass
    return preview.store


def read(run: RunDirectory) -> Store:
    source, store = LogSource(run), Store(run.info.settings)
    while True:
        for name, part in source.portions(1 << 20):
            store.add(name, part)
        if not source.has_more:
            store.settle()
            return store


def both(tmp_path: Path, *logs: Sequence[Record], session: Sequence[Record] = ()) -> list[Store]:
    run = long_run(tmp_path / "run", *logs, session=session)
    sample = previewed(run)
    assert sample is not None
    return [sample, read(run)]


def histories(stores: Sequence[Store | None], name: str) -> list[History]:
    found = [store.variants[name].current for store in stores if store is not None]
    return [each.history for each in found if each is not None]


def means(history: History, axis: Axis, parts: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The smoothed loss in equal parts of the axis."""
    end = history.end(axis)
    line = history.smoothed(axis, 0.0, end, 4 * parts, 1.0)
    middle = (line.low + line.high) / 2
    at = np.linspace(0, end, parts + 1)[1:]
    return np.interp(at, line.x, middle)


@pytest.mark.parametrize("size", [1, 50, 400])
def test_the_curve_lies_where_that_of_all_losses_does(tmp_path: Path, size: int) -> None:
    batches = LENGTH if size < 400 else 4_000  # one for each epoch, in a chunk of its own
    sample, whole = histories(
        both(tmp_path, [*begun(size=size), *trained(batches, size=size), End()]), "A"
    )
    assert len(sample) < len(whole)
    for axis in Axis:
        assert sample.end(axis) == pytest.approx(whole.end(axis), abs=0.01)
        assert means(sample, axis, 24) == pytest.approx(means(whole, axis, 24), abs=0.06)
    bands = [each.band(Axis.SAMPLES, 0, each.end(Axis.SAMPLES), 20) for each in (sample, whole)]
    widths = [np.median(each.high - each.low) for each in bands]
    assert widths[0] == pytest.approx(widths[1], rel=0.3)


@pytest.mark.parametrize("batches", [1, 4_000])
def test_chunks_may_have_any_number_of_batches(tmp_path: Path, batches: int) -> None:
    starts = range(1, 2_000 * batches if batches == 1 else 200 * batches, batches)
    log = [*begun(), *(plain_chunk(start, batches, n=10**9) for start in starts)]
    sample, whole = histories(both(tmp_path, log), "A")
    assert sample.end(Axis.SAMPLES) == whole.end(Axis.SAMPLES)
    line = sample.polyline(Axis.SAMPLES, 0, sample.end(Axis.SAMPLES), 64)
    assert len(line.x) > 60


def test_the_line_is_as_smooth_as_that_of_all_losses(tmp_path: Path) -> None:
    sample, whole = histories(both(tmp_path, [*begun(), *trained(LENGTH)]), "A")
    end = whole.end(Axis.SAMPLES)
    for window in (0.25, 1.0, 4.0):
        lines = [each.smoothed(Axis.SAMPLES, end / 2, end, 60, window) for each in (sample, whole)]
        rough = [float(np.abs(np.diff(each.low, 2)).mean()) for each in lines]
        assert rough[0] < 2 * rough[1] + 0.002


def test_a_part_with_few_bytes_is_sampled_as_well(tmp_path: Path) -> None:
    """Most of the samples may be in few, large batches."""
    change = Changed(
        generation=1, settings=VariantSettings(batch_size=N), epoch=LENGTH // N + 1,
        batch=LENGTH + 1, update=LENGTH + 1, samples=LENGTH, seconds=LENGTH / 1_000,
    )  # fmt: skip
    small = [*begun(), *trained(LENGTH)]
    large = [*trained(2_000, after=LENGTH // N, size=N)]
    renumbered = [_after(each, LENGTH - LENGTH // N) for each in large]
    stores = both(tmp_path, [*small, change, *renumbered])
    sample, whole = histories(stores, "A")
    assert sample.end(Axis.SAMPLES) == whole.end(Axis.SAMPLES)
    line = sample.polyline(Axis.SAMPLES, 0, sample.end(Axis.SAMPLES), 64)
    assert len(line.x) > 50
    changes = [store.variants["A"].current.changes for store in stores]  # type: ignore[union-attr]
    assert changes[0] == changes[1] != []


def _after(record: Record, batches: int) -> Record:
    """The record as if there had been more batches before, with no more samples."""
    if isinstance(record, Chunk):
        return replace(record, batch=record.batch + batches, update=record.update + batches)
    assert isinstance(record, Evaluation)
    return replace(record, batches=record.batches + batches, updates=record.updates + batches)


def test_restarts_and_rewinds_keep_their_pasts(tmp_path: Path) -> None:
    log = [
        *begun(), *trained(LENGTH),
        *begun(2), *trained(LENGTH, generation=2, level=0.5),
        *begun(3, origin=origin_at(20_000, generation=2)),
        *trained(LENGTH, generation=3, after=20_000, level=1.0),
    ]  # fmt: skip
    stores = both(tmp_path, log)
    sample, whole = histories(stores, "A")
    assert sample.end(Axis.SAMPLES) == whole.end(Axis.SAMPLES) == LENGTH + 20_000
    assert means(sample, Axis.SAMPLES, 16) == pytest.approx(
        means(whole, Axis.SAMPLES, 16), abs=0.06
    )
    ghosts = [store.variants["A"].ghost for store in stores]
    ends = [each.history.end(Axis.SAMPLES) for each in ghosts if each is not None]
    assert ends == [LENGTH, LENGTH]


def test_a_fork_goes_on_from_the_curve_of_its_source(tmp_path: Path) -> None:
    fork = [*begun(origin=origin_at(30_000, variant="B")), *trained(LENGTH, after=30_000)]
    stores = both(tmp_path, fork, [*begun(), *trained(LENGTH)])
    sample, whole = histories(stores, "A")
    assert means(sample, Axis.SAMPLES, 16) == pytest.approx(
        means(whole, Axis.SAMPLES, 16), abs=0.05
    )
    places = []
    for store in stores:
        current = store.variants["A"].current
        assert current is not None
        places.append(current.history.place(Axis.SAMPLES, current.shared - 1))
    assert places[0] == pytest.approx(places[1], abs=1_000)


def test_a_fork_of_itself_has_no_curve(tmp_path: Path) -> None:
    log = [*begun(origin=origin_at(10, variant="A")), *trained(LENGTH, after=10)]
    assert previewed(long_run(tmp_path / "run", log)) is None


def test_removed_variants_and_longer_plans_are_known(tmp_path: Path) -> None:
    session = [
        CommandSent(variant="A", command=Extend(id=1, epochs=900)),
        VariantRemoved(variant="B"),
    ]
    log = [*begun(), *trained(LENGTH), StateChanged(generation=1, state=State.PAUSED)]
    sample, whole = both(tmp_path, log, [*begun()], session=session)
    assert [one.tally.name for one in sample.states] == ["A"]
    assert sample.variants["A"].tally.planned_epochs == 900
    assert sample.is_at_rest is whole.is_at_rest is True


def test_numbers_that_a_loop_logged_are_left_out(tmp_path: Path) -> None:
    numbers = Scalars(
        generation=1, batches=np.array([LENGTH], "<u8").tobytes(),
        values={"norm": np.array([1.0], "<f8").tobytes()},
    )  # fmt: skip
    sample, whole = both(tmp_path, [*begun(), *trained(LENGTH), numbers, *trained(9, after=LENGTH)])
    ends = [each.end(Axis.SAMPLES) for each in histories([sample, whole], "A")]
    assert ends == [LENGTH + 9, LENGTH + 9]


@pytest.mark.parametrize("damage", ["order", "bytes", "start"])
def test_no_curve_from_logs_that_cannot_be_right(tmp_path: Path, damage: str) -> None:
    log = [*begun(), *trained(LENGTH)]
    if damage == "order":
        log += trained(LENGTH // 2)
    run = long_run(tmp_path / "run", log[2:] if damage == "start" else log)
    if damage == "bytes":
        run.variant_log("A").write_bytes(bytes(400_000))
    assert previewed(run) is None


def test_a_log_that_is_missing_or_short_is_no_obstacle(tmp_path: Path) -> None:
    run = long_run(tmp_path / "run", [*begun(), *trained(LENGTH)], [*begun(), *trained(10)], [])
    run.variant_log("C").unlink()
    sample = previewed(run)
    assert sample is not None
    assert [len(each) > 0 for each in histories([sample], "A") + histories([sample], "B")] == [
        True,
        True,
    ]
    assert sample.variants["C"].current is None


def test_curves_of_a_growing_log_are_taken_again_once_they_are_old(tmp_path: Path) -> None:
    run, now = long_run(tmp_path / "run", [*begun(), *trained(LENGTH)]), [0.0]
    preview = Preview(ShownRuns.of(run), clock=lambda: now[0])
    while preview.take_on():
        pass
    first, log = preview.store, run.variant_log("A")
    log.write_bytes(log.read_bytes() + b"".join(map(frame, trained(LENGTH, after=LENGTH))))
    now[0] = 4.0
    assert not preview.take_on()
    assert preview.store is first
    now[0] = 6.0
    while preview.take_on():
        assert preview.store is first, "charts keep the old curves until then"
    ends = [each.end(Axis.SAMPLES) for each in histories([first, preview.store], "A")]
    assert ends == [LENGTH, 2 * LENGTH]

    whole = log.read_bytes()
    log.write_bytes(bytes(len(whole)))
    second, now[0] = preview.store, 12.0
    while preview.take_on():
        pass
    assert preview.store is second, "curves stay if no others can be had"
    log.write_bytes(whole)

    paused = frame(StateChanged(generation=1, state=State.PAUSED))
    log.write_bytes(log.read_bytes() + paused)
    now[0] = 18.0
    while preview.take_on():
        pass
    assert preview.store is not second
    last, now[0] = preview.store, 24.0
    assert not preview.take_on()
    assert preview.store is last, "it no longer grows"
