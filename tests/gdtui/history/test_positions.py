"""Positions of batches in single cases: memory stays thin, whatever changes in mid-epoch."""

import msgspec
import numpy as np
import pytest
from joined_chunks import joined_epochs
from plain_chunks import plain_chunk

from engine.log.reading.loss_block import LossBlock
from gdtui.chart.scene.polyline import Axis
from gdtui.history import History
from gdtui.history.positions import Positions


def test_a_long_run_of_single_batches_costs_no_more_than_its_losses() -> None:
    history, positions = History(2_000), Positions(2_000)
    before = history.nbytes
    for batch in range(1, 20_001):
        chunk = plain_chunk(batch, 1, size=2_000)
        history.append(chunk)
        positions.append(chunk)
    history.polyline(Axis.SAMPLES, 0, 1e9, 100)
    seconds = 2 * 16 * 20_000
    assert history.nbytes - before <= 8 * 20_000 * 2 + seconds
    assert positions.segments == 1


def test_the_seconds_of_very_many_chunks_are_thinned_not_lost() -> None:
    positions, seconds, rng = Positions(2_000, max_knots=64), [0.0], np.random.default_rng(0)
    before = positions.nbytes
    for batch in range(1, 501):
        duration = float(rng.random())
        chunk = msgspec.structs.replace(
            plain_chunk(batch, 1), seconds=seconds[-1], duration=duration
        )
        positions.append(chunk)
        seconds.append(seconds[-1] + duration)
    found = np.array([positions.batch_at(i).seconds for i in range(500)])
    assert np.all(np.diff(found) >= 0)
    assert np.abs(found - seconds[:-1]).max() < 17
    assert positions.end(Axis.SECONDS) == seconds[-1]
    assert (
        positions.nbytes - before <= 16 * 64
    )  # 16 bytes a knot; there is room for 64 at the start


def test_batches_of_one_update_stand_between_it_and_the_next() -> None:
    history = History(6)
    chunk = msgspec.structs.replace(plain_chunk(1, 6, n=6), accumulation_steps=4)
    history.append(chunk)
    assert history.polyline(Axis.UPDATES, 0, 2, 10).x.tolist() == [0, 0.25, 0.5, 0.75, 1, 1.25]
    assert history.end(Axis.UPDATES) == 2  # the short group ended with the epoch


def test_a_change_in_mid_epoch_costs_no_more_however_many_epochs_follow() -> None:
    positions, batch, samples = Positions(100), 1, 0
    for epoch, sizes in enumerate([[30, 30, 20, 20], *[[20] * 5] * 50], start=1):
        for size in sizes:
            chunk = plain_chunk(batch, 1, size=size, epoch=epoch)
            positions.append(msgspec.structs.replace(chunk, samples=samples))
            batch, samples = batch + 1, samples + size
    assert positions.batch_at(len(positions) - 1).samples == 51 * 100 - 20
    assert positions.segments == 3


def test_an_epoch_longer_than_the_ones_before_is_placed_right() -> None:
    history, batch = History(3), 1
    for epoch, count in enumerate([3, 3, 5, 2], start=1):
        history.append(plain_chunk(batch, count, epoch=epoch))
        batch += count
    polyline = history.polyline(Axis.SAMPLES, 0, 20, 20)
    assert polyline.x.tolist() == list(range(13))
    assert [history.at(i).epoch for i in range(13)] == [1] * 3 + [2] * 3 + [3] * 5 + [4] * 2


def test_an_hour_of_full_batch_at_free_pace_takes_a_few_megabytes() -> None:
    """Twenty million batches, in records of 30 ms."""
    history, count = History(2_000), 1_000
    first, others = (plain_chunk(1 + k * count, count, size=2_000) for k in range(2))
    for k in range(20_000):
        batch = 1 + k * count
        history.append(
            msgspec.structs.replace(
                others if k else first,
                epoch=batch,
                batch=batch,
                update=batch,
                samples=(batch - 1) * 2_000,
                epochs=count,
                seconds=0.03 * k,
            )
        )
    assert len(history) == 20_000_000
    assert history.nbytes <= 20 << 20
    assert history.at(19_999_999).epoch == 20_000_000
    assert history.at(123).loss == np.frombuffer(first.losses, "<f4")[123]


@pytest.mark.parametrize("most", [1, 3])
def test_ends_of_epochs_are_where_the_next_one_begins(most: int) -> None:
    """Epochs of 3, then with a change in the middle of one, then of 2 batches."""
    positions, batch, samples, chunks = Positions(30), 1, 0, []
    shapes = [(10, 3)] * 4, [(10, 1)], [(20, 1)], [(15, 2)] * 3
    epochs = [1, 2, 3, 4, 5, 5, 6, 7, 8]
    for epoch, (size, count) in zip(epochs, sum(shapes, []), strict=True):  # noqa: RUF017
        chunk = plain_chunk(batch, count, size=size, epoch=epoch)
        chunks.append(msgspec.structs.replace(chunk, samples=samples))
        batch, samples = batch + count, samples + size * count
    for chunk in joined_epochs(chunks, most):
        positions.append(chunk)
    every = [30.0 * k for k in range(1, 8)]
    assert positions.epoch_ends(Axis.SAMPLES, 0, 99) == every
    assert positions.epoch_ends(Axis.SAMPLES, 30, 99) == every[1:]
    assert positions.epoch_ends(Axis.SAMPLES, 29.5, 3) == every[:3]
    assert positions.epoch_ends(Axis.SAMPLES, 240, 3) == []
    assert positions.epoch_ends(Axis.UPDATES, 0, 99) == [3, 6, 9, 12, 14, 16, 18]
    assert Positions(30).epoch_ends(Axis.SAMPLES, 0, 3) == []


@pytest.mark.parametrize("steps", [1, 3])
def test_blocks_are_placed_as_their_chunks(steps: int) -> None:
    """Also where the batch size changes in mid-epoch, and while knots are thinned."""
    chunks, samples, batch = [], 0, 1
    for place in range(400):
        size = 7 if 100 <= place < 110 or place % 90 == 0 else 5
        last = min(size, 60 - samples % 60)
        chunk = plain_chunk(batch, 1, n=60, size=size, epoch=samples // 60 + 1)
        chunks.append(
            msgspec.structs.replace(
                chunk, samples=samples, last_batch_size=last, accumulation_steps=steps
            )
        )
        samples, batch = samples + last, batch + 1
    one, many = Positions(60, max_knots=64), Positions(60, max_knots=64)
    for chunk in chunks:
        one.append(chunk)
    for start in range(0, 400, 150):
        many.extend(LossBlock(chunks[start : start + 150]))
    index = np.arange(401)
    for axis in Axis:
        assert many.at(axis, index[:-1]).tolist() == one.at(axis, index[:-1]).tolist()
        assert many.end(axis) == one.end(axis)
    assert many.samples(index).tolist() == one.samples(index).tolist()
    assert many.segments == one.segments


def test_batches_are_of_even_size_unless_a_short_one_or_a_change_is_among_them() -> None:
    positions = Positions(2_000)
    positions.append(plain_chunk(1, 4_000))
    assert positions.even_size(0, 4_000) == 1
    replace, positions = msgspec.structs.replace, Positions(2_000)
    positions.append(replace(plain_chunk(1, 32, size=64), last_batch_size=16))
    positions.append(replace(plain_chunk(33, 10, size=64), samples=2_000, epoch=2))
    positions.append(replace(plain_chunk(43, 10, size=32), samples=2_640, epoch=2))
    ranges = ((0, 31), (0, 32), (32, 42), (42, 52), (40, 44), (31, 33))
    assert [positions.even_size(*ends) for ends in ranges] == [64, 0, 64, 32, 0, 0]
