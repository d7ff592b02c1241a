"""The lr of every batch comes back from the history as the chunks said it, at any length."""

import numpy as np
import pytest
from msgspec.structs import replace

from engine.log.records import Chunk
from engine.log.records.chunk import joined, packed
from gdtui.history import History
from gdtui.history.chunk_losses import lrs_of
from gdtui.history.positions import Positions


def chunks_of(batches: int, per: int, steps: int, per_epoch: int) -> list[Chunk]:
    """Chunks of up to `per` batches of 2 samples, every update with an lr of its own."""
    made: list[Chunk] = []
    batch = update = in_update = 0
    while batch < batches:
        place = batch % per_epoch
        count = min(per, per_epoch - place, batches - batch)
        updates = (in_update + count - 1) // steps + 1
        made.append(
            Chunk(
                generation=1, epoch=batch // per_epoch + 1, batch=batch + 1, update=update + 1,
                in_update=in_update, samples=2 * batch, seconds=float(batch), duration=float(count),
                batch_size=2, last_batch_size=2, accumulation_steps=steps,
                lr=packed([0.5 / (1 + update + k) for k in range(updates)]),
                losses=np.zeros(count, "<f4").tobytes(),
            )
        )  # fmt: skip
        batch += count
        update, in_update = update + (in_update + count) // steps, (in_update + count) % steps
        if batch % per_epoch == 0 and in_update:
            update, in_update = update + 1, 0
    return made


@pytest.mark.parametrize("per", [1, 3, 7, 100])
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_the_lr_of_each_batch_is_that_of_its_update(per: int, steps: int) -> None:
    chunks = chunks_of(60, per, steps, per_epoch=10)
    positions = Positions(20)
    for chunk in chunks:
        positions.append(chunk)
    expected = np.concatenate([lrs_of(chunk) for chunk in chunks])
    assert positions.lrs(np.arange(60)).tolist() == expected.tolist()
    assert positions.batch_at(37).lr == expected[37]
    assert positions.segments <= 3, "positions repeat, whatever the lr"


@pytest.mark.parametrize("gap", [1, 10**9])
def test_updates_that_an_imported_log_leaves_out_have_no_lr(gap: int) -> None:
    """Each epoch of 10 batches begins `gap` updates later than the one before ended."""
    chunks = [
        replace(chunk, update=chunk.update + gap * (chunk.epoch - 1))
        for chunk in chunks_of(40, 5, 1, per_epoch=10)
    ]
    positions = Positions(20)
    for chunk in chunks:
        positions.append(chunk)
    expected = np.concatenate([lrs_of(chunk) for chunk in chunks])
    assert positions.lrs(np.arange(40)).tolist() == expected.tolist()
    assert [positions.batch_at(k).update for k in (0, 10, 39)] == [1, 11 + gap, 40 + 3 * gap]


def test_epochs_in_one_record_are_kept_the_same() -> None:
    chunks = chunks_of(60, 10, 3, per_epoch=10)
    apart, together = Positions(20), Positions(20)
    for chunk in chunks:
        apart.append(chunk)
    together.append(joined(chunks[:2]))
    together.append(joined(chunks[2:]))
    every = np.arange(60)
    assert together.lrs(every).tolist() == apart.lrs(every).tolist()


def test_a_change_of_lr_and_of_batch_size_amid_a_schedule_are_found_again() -> None:
    chunks = chunks_of(20, 5, 1, per_epoch=10)
    plain = [replace(chunk, lr=0.25) for chunk in chunks[:2]]
    other = replace(chunks[3], lr=0.125, batch_size=3, samples=30)
    history = History(20)
    for chunk in [*plain, chunks[2], other]:
        history.append(chunk)
    found = [history.at(k).lr for k in range(20)]
    assert found == [0.25] * 10 + lrs_of(chunks[2]).tolist() + [0.125] * 5


def test_a_million_lrs_leave_memory() -> None:
    positions, lrs = Positions(2_000_000), np.linspace(1, 0, 1_000_000)
    for start in range(0, len(lrs), 50_000):
        positions.append(
            Chunk(
                generation=1, epoch=1, batch=start + 1, update=start + 1, in_update=0,
                samples=2 * start, seconds=0.0, duration=0.0, batch_size=2, last_batch_size=2,
                accumulation_steps=1, lr=packed(lrs[start : start + 50_000].tolist()),
                losses=bytes(200_000),
            )
        )  # fmt: skip
    assert positions.nbytes < 3 << 20
    index = np.array([0, 7, 499_999, 999_999])
    assert positions.lrs(index).tolist() == lrs[index].tolist()
