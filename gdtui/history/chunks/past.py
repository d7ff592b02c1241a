"""The first batches of a history as chunks, so that another history can begin with them.

A rewind or a fork goes on from a batch of an earlier generation, and its curve has that past. Made
from positions and losses alone, so that it does not depend on how these are stored.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.log.records import Chunk
from gdtui.chart.scene.arrays import Floats, Ints
from gdtui.chart.scene.polyline import Axis
from gdtui.history.positions import Positions

_PARTS: Final = 512
"""Number of chunks that a long past is made of: seconds are interpolated in each."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Consecutive batches with one layout: a part of an epoch, or several whole epochs."""

    start: int
    stop: int
    epochs: int = 1


def past_chunks(
    positions: Positions, losses: Callable[[Ints], Floats], batches: int
) -> Iterator[Chunk]:
    """The first `batches` batches, with these losses by index; NaN is a gap."""
    if batches <= 0:
        return
    begins, sizes, steps = positions.stretches(_PARTS)
    for piece in _pieces(positions, begins, batches):
        at = int(np.searchsorted(begins, piece.start, "right")) - 1
        yield _chunk(positions, losses, piece, int(sizes[at]), int(steps[at]))


def _pieces(positions: Positions, begins: Ints, batches: int) -> Iterator[_Piece]:
    epochs = _epoch_starts(positions, batches)
    edges = np.unique(np.concatenate((begins[begins < batches], epochs, [0, batches])))
    starts, stops, longest = edges[:-1], edges[1:], max(batches // _PARTS, 1)
    is_whole = np.isin(starts, epochs) & np.isin(stops, epochs)
    layouts = np.stack((stops - starts, *_lengths(positions, edges), is_whole), axis=1)
    place = 0
    while place < len(starts):
        start, length = int(starts[place]), int(stops[place] - starts[place])
        count = 1
        if is_whole[place] and length < longest:
            most = min(longest // length, len(starts) - place)
            count = _alike(layouts[place : place + most])
        if count > 1:
            yield _Piece(start, start + count * length, count)
        else:
            cuts = range(start, start + length, max(longest, 1))
            yield from (_Piece(cut, min(cut + longest, start + length)) for cut in cuts)
        place += count


def _alike(layouts: Ints) -> int:
    """The number of rows at the beginning that equal the first one."""
    differs = np.flatnonzero((layouts != layouts[0]).any(axis=1))
    return int(differs[0]) if differs.size else len(layouts)


def _lengths(positions: Positions, edges: Ints) -> tuple[Ints, Ints]:
    """The samples and the updates between edges; −1 for a part that splits an update."""
    updates = positions.at(Axis.UPDATES, edges[:-1])
    whole = np.append(updates, np.nan)
    steps = np.diff(np.where(whole == np.floor(whole), whole, np.nan))
    return np.diff(positions.samples(edges)), np.nan_to_num(steps, nan=-1).astype(np.int64)


def _epoch_starts(positions: Positions, batches: int) -> Ints:
    """The batches, up to the index `batches`, that begin an epoch."""
    near = np.array(positions.epoch_ends(Axis.SAMPLES, 0.0, batches + 1))
    found = positions.first(Axis.SAMPLES, near, lambda at: at >= near) if near.size else near
    found = found[found <= batches].astype(np.int64)
    return np.concatenate(([0], found))


def _chunk(
    positions: Positions,
    losses: Callable[[Ints], Floats],
    piece: _Piece,
    size: int,
    steps: int,
) -> Chunk:
    spot = positions.batch_at(piece.start)
    index = np.arange(piece.start, piece.stop)
    begun = float(positions.at(Axis.UPDATES, index[:1])[0]) - (spot.update - 1)
    in_update, per_epoch = round(begun * steps), len(index) // piece.epochs
    begins = (in_update + np.arange(len(index)) % per_epoch) % steps == 0
    begins[0] = True
    lrs = positions.lrs(index[begins])
    ends = positions.at(Axis.SECONDS, np.array([piece.start, piece.stop]))
    return Chunk(
        generation=1,
        epoch=spot.epoch,
        epochs=piece.epochs,
        batch=piece.start + 1,
        update=spot.update,
        in_update=in_update,
        samples=spot.samples,
        seconds=float(ends[0]),
        duration=float(ends[1] - ends[0]),
        batch_size=size,
        last_batch_size=positions.batch_at(piece.stop - 1).batch_size,
        accumulation_steps=steps,
        lr=float(lrs[0]) if (lrs == lrs[0]).all() else lrs.astype("<f8").tobytes(),
        losses=losses(index).astype("<f4").tobytes(),
    )
