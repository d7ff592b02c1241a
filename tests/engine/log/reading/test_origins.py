"""Generations that begin after a point of another one: the order of records, the figures."""

import numpy as np
import pytest
from msgspec.structs import replace
from plain_chunks import plain_chunk

from engine.log.directory import RunDirectory
from engine.log.follow import Follower
from engine.log.reading.decode import RecordError
from engine.log.reading.sequence import Sequence
from engine.log.records import (
    AnyRecord,
    Chunk,
    Origin,
    Started,
    VariantAdded,
    VariantRemoved,
    WorkerReplaced,
)
from engine.log.summary import Tally
from engine.log.writing.added import add_variant
from engine.log.writing.writer import LogWriter
from engine.settings import RunSettings, Variant, VariantSettings

SETTINGS = VariantSettings(batch_size=10)
ORIGIN = Origin(
    generation=1, batches=6, epoch=2, updates=6, samples=60, seconds=0.2, epoch_batches=2,
    epoch_loss=2.0, loss_at_start=9.0,
)  # fmt: skip


def started(generation: int = 1, origin: Origin | None = None) -> Started:
    return Started(
        generation=generation, settings=SETTINGS, n=40, model="m", parameters=1, device="cpu",
        threads=1, epochs=2, pace=None, origin=origin,
    )  # fmt: skip


def chunk(first: int, losses: list[float], generation: int = 1) -> Chunk:
    plain = plain_chunk(first, len(losses), n=40, size=10)
    return replace(plain, generation=generation, losses=np.array(losses, "<f4").tobytes())


PAST = [started(), chunk(1, [1.0] * 4), chunk(5, [2.0] * 4)]


@pytest.mark.parametrize(
    ("following", "trouble"),
    [
        ([started(2, ORIGIN), chunk(7, [3.0], 2)], ""),
        ([started(2, replace(ORIGIN, variant="B", batches=70, samples=700)),
          chunk(71, [3.0], 2)], ""),
        ([started(2, ORIGIN), chunk(1, [3.0], 2)], "batch 1 cannot follow batch 6"),
        ([started(2, replace(ORIGIN, batches=9))], "after batch 9 of generation 1, which ends at"),
        ([started(2, replace(ORIGIN, generation=7))], "after batch 6 of generation 7, which ends"),
        ([started(2, replace(ORIGIN, samples=61)), chunk(7, [3.0], 2)], "lie before"),
    ],
)  # fmt: skip
def test_generation_goes_on_with_the_counters_of_its_origin(
    following: list[AnyRecord], trouble: str
) -> None:
    sequence = Sequence()
    for record in (*PAST, *following[:-1]):
        sequence.add(record)
    if not trouble:
        sequence.add(following[-1])
        return
    with pytest.raises(RecordError, match=trouble):
        sequence.add(following[-1])


def test_figures_go_on_from_the_origin() -> None:
    tally = Tally("A", SETTINGS)
    for record in (*PAST, started(2, ORIGIN)):
        tally.add(record)
    assert (tally.epoch, tally.batches, tally.samples, tally.seconds) == (2, 6, 60, 0.2)
    assert (len(tally.epoch_losses), tally.loss_at_start) == (1, 9.0)
    tally.add(chunk(7, [4.0, 8.0], 2))
    tally.add(chunk(9, [1.0], 2))
    assert tally.final_loss == (2.0 + 2.0 + 4.0 + 8.0) / 4
    assert tally.epoch_losses.epochs.tolist() == [2]


def test_reader_follows_variants_that_are_added_and_removed(tmp_path) -> None:  # type: ignore[no-untyped-def]
    first = Variant(name="A", settings=SETTINGS)
    run = RunDirectory.create(tmp_path / "run", RunSettings(variants=(first,)), "1")
    session = LogWriter(run.session_log)
    session.append(VariantRemoved(variant="A"))
    follower = Follower(RunDirectory.open(run.path))
    assert [name for name, _ in follower.read()] == ["A"]

    add_variant(run, Variant(name="B", settings=SETTINGS))
    session.append(VariantAdded(variant="B", settings=SETTINGS))
    session.append(VariantAdded(variant="nowhere", settings=SETTINGS))
    session.append(WorkerReplaced(variant="nowhere", command=0))
    session.append(WorkerReplaced(variant="A", command=0))
    with LogWriter(run.variant_log("B")) as log:
        log.append(started())
    tally = Tally("A", SETTINGS, is_removed=True)
    read = list(follower.read())
    assert [name for name, _ in read] == ["B", "A"]
    tally.add(read[-1][1])
    assert not tally.is_removed
    assert [type(record) for _, record in follower.read()] == [Started]
    session.close()
    run.custody.release()
    assert run.variant_log("B").name == "2-b.gdlog"
