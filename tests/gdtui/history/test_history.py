"""History against a naive computation: any appends, any windows, the same figures."""

import math
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joined_chunks import joined_epochs
from plain_chunks import plain_chunk

from engine.log.reading.loss_block import LossBlock, stretches
from engine.log.records import Chunk
from gdtui.chart.drawing.raster import place
from gdtui.chart.scene.picture import Scale
from gdtui.chart.scene.polyline import Axis, Polyline
from gdtui.history import SMOOTHING_LADDER, History
from gdtui.history.positions import Positions

N = 23
AXES = st.sampled_from(list(Axis))
LOSSES = st.one_of(
    st.floats(-10, 10, width=32),
    st.sampled_from([math.nan, math.inf, -math.inf, 1e30]),
)


@dataclass
class Naive:
    """Every batch as a row, and every figure the long way."""

    samples: list[int] = field(default_factory=list)
    updates: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    facts: list[tuple[int, int, float, int]] = field(default_factory=list)
    """Update, epoch, lr, accumulation steps."""

    def add(self, chunk: Chunk) -> None:
        for i, loss in enumerate(np.frombuffer(chunk.losses, "<f4").tolist()):
            in_group = chunk.in_update + i
            update, part = divmod(in_group, chunk.accumulation_steps)
            self.samples.append(chunk.samples + i * chunk.batch_size)
            self.updates.append(chunk.update - 1 + update + part / chunk.accumulation_steps)
            self.seconds.append(chunk.seconds + chunk.duration * i / chunk.batches)
            is_last = i == chunk.batches - 1
            self.sizes.append(chunk.last_batch_size if is_last else chunk.batch_size)
            self.losses.append(loss if math.isfinite(loss) else math.nan)
            self.facts.append(
                (chunk.update + update, chunk.epoch, chunk.lr, chunk.accumulation_steps)
            )

    def positions(self, axis: Axis) -> np.ndarray:
        return np.array(getattr(self, axis.value), float)

    def smoothed(self, window: float) -> np.ndarray:
        """The average after each batch, over gaps."""
        total, weights, result = 0.0, 0.0, []
        for size, loss in zip(self.sizes, self.losses, strict=True):
            if not math.isnan(loss):
                alpha = 1 - math.exp(-size / (window * N))
                total += alpha * (loss - total)
                weights += alpha * (1 - weights)
            result.append(total / weights if weights else math.nan)
        return np.array(result)


@st.composite
def runs(draw: st.DrawFn, most: int = 40) -> list[Chunk]:
    """The chunks of a training with changes, cut anywhere, as the engine may write them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    odd = draw(st.lists(LOSSES, max_size=6))
    chunks: list[Chunk] = []
    batch = update = 1
    samples = 0
    seconds = 0.0
    drop_last = draw(st.booleans())
    size, steps, lr = 1, 1, 0.01
    for epoch in range(1, draw(st.integers(1, most)) + 1):
        start = 0
        while start < N:
            if (start == 0 and rng.random() < 0.2) or rng.random() < 0.02 or not chunks:
                size, steps = int(rng.integers(1, N + 1)), int(rng.integers(1, 5))
                lr = float(rng.choice([0.01, 0.1]))
            end = N // size * size if drop_last and start == 0 and size < N else N
            whole = -(-(end - start) // size)
            if rng.random() < 0.05 and whole > steps:  # a change at a group boundary comes next
                whole, end = steps, start + steps * size
            done = 0
            while done < whole:
                count = int(rng.integers(1, whole - done + 1))
                last = min(size, end - start - (done + count - 1) * size)
                losses = rng.normal(0.5, 1, count).astype("<f4")
                if odd and rng.random() < 0.3:
                    losses[rng.integers(count)] = odd[rng.integers(len(odd))]
                duration = float(rng.choice([0.0, 0.03, rng.random()]))
                chunks.append(
                    Chunk(
                        generation=1,
                        epoch=epoch,
                        batch=batch,
                        update=update + done // steps,
                        in_update=done % steps,
                        samples=samples + done * size,
                        seconds=seconds,
                        duration=duration,
                        batch_size=size,
                        last_batch_size=last,
                        accumulation_steps=steps,
                        lr=lr,
                        losses=losses.tobytes(),
                    )
                )
                seconds += duration
                batch, done = batch + count, done + count
            update += -(-whole // steps)
            samples += end - start
            start = end if end < N // size * size or not drop_last else N
    return joined_epochs(chunks) if draw(st.booleans()) else chunks


def taken(chunks: list[Chunk]) -> tuple[History, Naive]:
    history, naive = History(N), Naive()
    for chunk in chunks:
        history.append(chunk)
        for part in chunk.by_epoch():
            naive.add(part)
    return history, naive


def taken_in_blocks(chunks: list[Chunk]) -> History:
    """The history of these chunks, as blocks where they can be in one."""
    history = History(N)
    for start, stop in stretches(chunks):
        if chunks[start].epochs > 1:
            history.append(chunks[start])
        else:
            history.extend(LossBlock(chunks[start:stop]))
    return history


def expected(
    at: np.ndarray, values: np.ndarray, low: float, high: float, columns: int
) -> list[tuple[float, float, float]]:
    """A polyline of these values, by a loop."""
    inside = np.flatnonzero((at >= low) & (at <= high))
    start, stop = np.count_nonzero(at < low), np.count_nonzero(at <= high)
    around = list(range(max(start - 1, 0), min(stop + 1, len(at))))  # also where none is inside
    if len(inside) <= columns:
        return [(at[i], values[i], values[i]) for i in around]
    column = np.floor(place(at, Scale(low, high), -(-columns // 2), 2)).astype(int)
    column[around[0] : inside[0]] = -1000
    column[inside[-1] + 1 :] = 1000
    rows = []
    for one in sorted(set(column[around])):
        members = [i for i in around if column[i] == one]
        finite = [values[i] for i in members if not math.isnan(values[i])]
        rows.append((at[members[0]], min(finite, default=math.nan), max(finite, default=math.nan)))
    return rows


def same(polyline: Polyline, rows: list[tuple[float, float, float]]) -> None:
    found = np.stack([polyline.x, polyline.low, polyline.high], axis=1)
    np.testing.assert_allclose(found, np.array(rows).reshape(-1, 3), rtol=1e-5, atol=1e-9)


def placed(chunks: list[Chunk]) -> Positions:
    """Positions of the batches of these chunks."""
    positions = Positions(N)
    for chunk in chunks:
        positions.append(chunk)
    return positions


windows = st.tuples(st.floats(-0.1, 1.1), st.floats(0.001, 1.2))


@settings(deadline=None, max_examples=60)
@given(runs(), AXES, windows, st.integers(1, 60), st.sampled_from(SMOOTHING_LADDER), st.booleans())
def test_any_window_shows_what_a_naive_computation_finds(
    chunks: list[Chunk],
    axis: Axis,
    window: tuple[float, float],
    columns: int,
    smoothing: float,
    in_blocks: bool,
) -> None:
    history, naive = taken(chunks)
    if in_blocks:
        history = taken_in_blocks(chunks)
    at = placed(chunks).at(axis, np.arange(len(history)))
    np.testing.assert_allclose(at, naive.positions(axis), rtol=1e-12, atol=1e-9)
    low = window[0] * history.end(axis)
    high = low + window[1] * max(history.end(axis), 1.0)
    raw = np.array(naive.losses)
    same(history.polyline(axis, low, high, columns), expected(at, raw, low, high, columns))
    smooth = np.where(np.isnan(raw), np.nan, naive.smoothed(smoothing))
    same(
        history.smoothed(axis, low, high, columns, smoothing),
        expected(at, smooth, low, high, columns),
    )
    inside = raw[(at >= low) & (at <= high)]
    inside = inside[~np.isnan(inside)]
    assert history.extremes(axis, low, high) == (
        (inside.min(), inside.max()) if inside.size else None
    )


@settings(deadline=None, max_examples=40)
@given(runs(), AXES, st.floats(0, 1), st.floats(0.01, 1.2), st.integers(1, 12), st.integers(1, 5))
def test_a_window_drawn_while_the_batches_come_is_that_drawn_afterwards(
    chunks: list[Chunk], axis: Axis, start: float, width: float, columns: int, every: int
) -> None:
    whole, _ = taken(chunks)
    low, high = start * whole.end(axis), (start + width) * whole.end(axis) + 1e-3
    live, after = History(N), History(N)
    for i, chunk in enumerate(chunks):
        live.append(chunk)
        after.append(chunk)
        if i % every == 0 or chunk is chunks[-1]:
            fresh = History(N)
            for earlier in chunks[: i + 1]:
                fresh.append(earlier)
            for window in (None, *SMOOTHING_LADDER):
                same(
                    _drawn(live, axis, low, high, columns, window),
                    _rows(fresh, axis, low, high, columns, window),
                )
            assert live.extremes(axis, low, high) == fresh.extremes(axis, low, high)


def _drawn(
    history: History, axis: Axis, low: float, high: float, columns: int, window: float | None
) -> Polyline:
    if window is None:
        return history.polyline(axis, low, high, columns)
    return history.smoothed(axis, low, high, columns, window)


def _rows(
    history: History, axis: Axis, low: float, high: float, columns: int, window: float | None
) -> list[tuple[float, float, float]]:
    polyline = _drawn(history, axis, low, high, columns, window)
    return list(
        zip(polyline.x.tolist(), polyline.low.tolist(), polyline.high.tolist(), strict=True)
    )


@settings(deadline=None, max_examples=60)
@given(runs(), AXES, st.floats(0, 1))
def test_the_crosshair_finds_the_nearest_batch_and_all_about_it(
    chunks: list[Chunk], axis: Axis, share: float
) -> None:
    history, naive = taken(chunks)
    position = share * history.end(axis)
    index = history.find(axis, position)
    assert index is not None
    distances = np.abs(placed(chunks).at(axis, np.arange(len(history))) - position)
    assert distances[index] == distances.min()
    for one in (index, 0, len(history) - 1):
        info = history.at(one)
        assert (info.batch, info.samples, info.batch_size) == (
            one + 1,
            naive.samples[one],
            naive.sizes[one],
        )
        assert (info.update, info.epoch, info.lr, info.accumulation_steps) == naive.facts[one]
        assert info.seconds == pytest.approx(naive.seconds[one])
        assert info.loss == pytest.approx(naive.losses[one], nan_ok=True)
        assert info.smoothed == pytest.approx(
            naive.smoothed(0.25)[one], rel=1e-5, abs=1e-9, nan_ok=True
        )
    assert history.find(axis, -1.0) is None
    assert history.find(axis, history.end(axis) + 1) is None
    with pytest.raises(IndexError):
        history.at(len(history))


@settings(deadline=None, max_examples=60)
@given(runs())
def test_the_figures_are_the_naive_ones(chunks: list[Chunk]) -> None:
    history, naive = taken(chunks)
    assert len(history) == len(naive.losses)
    assert history.last() == pytest.approx(naive.losses[-1], nan_ok=True)
    for window in SMOOTHING_LADDER:
        smoothed = naive.smoothed(window)[-1]
        assert history.smoothed_last(window) == pytest.approx(
            smoothed, rel=1e-5, abs=1e-9, nan_ok=True
        )
    assert history.end(Axis.SAMPLES) == naive.samples[-1] + naive.sizes[-1]
    assert history.end(Axis.SECONDS) == pytest.approx(chunks[-1].seconds + chunks[-1].duration)
    before = np.r_[math.nan, naive.smoothed(0.25)[:-1]]
    recent = np.array(naive.samples) >= history.end(Axis.SAMPLES) - N
    rest = (np.array(naive.losses) - before)[recent]
    rest = rest[~np.isnan(rest)]
    spread = history.spread()
    if rest.size < 2:
        assert spread is None
    else:
        assert spread == pytest.approx(rest.std(), rel=1e-4, abs=1e-5)


# --- Single cases ---------------------------------------------------------------------------------


def test_full_batch_smoothing_follows_the_loss() -> None:
    history = History(2_000)
    for batch in range(1, 21):
        history.append(plain_chunk(batch, 1, size=2_000))
    info = history.at(19)
    assert info.epoch == 20
    assert abs(info.smoothed - info.loss) <= 0.02 * abs(history.at(18).loss - info.loss) + 0.002
    assert history.spread() is None


def test_a_gap_in_the_batches_is_refused_and_nothing_is_taken_in() -> None:
    history = History(2_000)
    history.append(plain_chunk(1, 10))
    with pytest.raises(ValueError, match="batch 12 cannot follow batch 10"):
        history.append(plain_chunk(12, 1))
    assert len(history) == 10


def test_an_empty_history_draws_nothing() -> None:
    history = History(2_000)
    assert history.polyline(Axis.SAMPLES, 0, 1, 10).is_empty
    assert history.smoothed(Axis.SECONDS, 0, 1, 10, 1.0).is_empty
    assert history.extremes(Axis.SAMPLES, 0, 1) is None
    assert history.find(Axis.SAMPLES, 0) is None
    assert history.spread() is None
    assert math.isnan(history.last())
    assert math.isnan(history.smoothed_last(0.25))
    assert [history.end(axis) for axis in Axis] == [0, 0, 0]


def test_the_same_window_of_the_same_batches_is_the_same_object() -> None:
    history = History(2_000)
    history.append(plain_chunk(1, 500))
    assert history.polyline(Axis.SAMPLES, 0, 900, 100) is history.polyline(
        Axis.SAMPLES, 0, 900, 100
    )


@settings(deadline=None, max_examples=25)
@given(runs(most=12), st.floats(0, 0.99), AXES)
def test_the_past_of_a_history_goes_on_as_the_whole_one_does(
    chunks: list[Chunk], share: float, axis: Axis
) -> None:
    whole, _ = taken(chunks)
    done = int(share * len(chunks))
    past = whole.until(sum(chunk.batches for chunk in chunks[:done]))
    for chunk in chunks[done:]:
        past.append(chunk)
    assert past.end(axis) == pytest.approx(whole.end(axis))
    assert past.epoch_ends(axis, 0, 99) == pytest.approx(whole.epoch_ends(axis, 0, 99))
    for index in range(0, len(whole), max(len(whole) // 50, 1)):
        ours, theirs = past.at(index), whole.at(index)
        assert (ours.batch, ours.update, ours.epoch) == (theirs.batch, theirs.update, theirs.epoch)
        figures = [(i.samples, i.seconds, i.loss, i.smoothed, i.lr) for i in (ours, theirs)]
        np.testing.assert_allclose(*figures, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("n", [7, 1_500])
def test_a_long_past_has_the_figures_of_the_whole_history(n: int) -> None:
    history, done = History(n), 0
    while done < 5_000:
        history.append(plain_chunk(done + 1, min(n, 500, n - done % n), n))
        done = len(history)
    past = history.until(4_345)
    assert len(past) == 4_345
    for index in (0, 1_499, 1_500, 4_344):
        ours, theirs = past.at(index), history.at(index)
        assert ours.seconds == pytest.approx(theirs.seconds)
        assert ours.smoothed == pytest.approx(theirs.smoothed)
        assert ours == replace(theirs, seconds=ours.seconds, smoothed=ours.smoothed)
