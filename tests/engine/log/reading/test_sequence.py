"""The order of a log's records: what cannot follow is refused, all that workers write is taken."""

import struct
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from plain_chunks import plain_chunk

from engine.log.measurements import NoiseScale, Sharpness
from engine.log.reading.decode import RecordError
from engine.log.reading.sequence import Sequence
from engine.log.records import (
    Changed,
    End,
    Evaluation,
    Measured,
    Record,
    Scalars,
    Started,
    Validated,
)
from engine.settings import LrScaling, VariantSettings


def started(generation: int = 1, **different: Any) -> Started:
    settings = VariantSettings(**different)
    return Started(
        generation=generation, settings=settings, n=2_000, model="m", parameters=1, device="cpu",
        threads=1, epochs=2, pace=None,
    )  # fmt: skip


def evaluation(batches: int, generation: int = 1, epoch: int = 1) -> Evaluation:
    return Evaluation(
        generation=generation, epoch=epoch, batches=batches, updates=batches, samples=batches,
        seconds=1.0, full_loss=0.5,
    )  # fmt: skip


def changed(batch: int, generation: int = 1, **different: Any) -> Changed:
    return Changed(
        generation=generation, settings=VariantSettings(**different), epoch=1, batch=batch,
        update=batch, samples=batch - 1, seconds=0.5,
    )  # fmt: skip


def measured(**different: Any) -> Measured:
    return Measured(
        generation=1, epoch=1, updates=1, samples=1, seconds=0.1, effective_batch=1, lr=0.1,
        edge=20.0, cost=0.1, **different,
    )  # fmt: skip


def noise(**different: Any) -> NoiseScale:
    values = {"value": 1.0, "low": 0.5, "high": 2.0, "trace": 1.0, "gradient_squared": 1.0}
    return NoiseScale(**(values | different), samples=10)


def refusal(*records: Record) -> str:
    """Why the last of these cannot follow; the others can."""
    sequence = Sequence()
    for record in records[:-1]:
        sequence.add(record)  # type: ignore[arg-type]
    with pytest.raises(RecordError) as refused:
        sequence.add(records[-1])  # type: ignore[arg-type]
    return str(refused.value)


CHUNK = plain_chunk(1, 10)
NEXT = plain_chunk(11, 10)


def test_what_a_worker_writes_is_taken() -> None:
    second = [replace(each, generation=2) for each in (CHUNK, NEXT)]
    sequence = Sequence()
    for record in (
        started(),
        evaluation(0, epoch=0),
        CHUNK,
        changed(11),
        changed(11, batch_size=32),
        NEXT,
        measured(noise=noise(value=np.inf, high=np.inf), sharpness=None),
        evaluation(20),
        evaluation(20),
        replace(evaluation(15), generation=1, epoch=2, samples=25, batches=25, updates=25),
        started(2),
        evaluation(0, generation=2, epoch=0),
        *second,
        End(),
    ):
        sequence.add(record)  # type: ignore[arg-type]


def test_a_log_need_not_begin_with_its_start() -> None:
    sequence = Sequence()
    for chunk in (CHUNK, NEXT):
        sequence.add(replace(chunk, generation=3))


@pytest.mark.parametrize(
    ("different", "told"),
    [
        ({"batch": 12}, "batch 12 cannot follow batch 10"),
        ({"batch": 10}, "batch 10 cannot follow batch 10"),
        ({"batch": 1}, "batch 1 cannot follow batch 10"),
        ({"generation": 2}, "generation 2, amid those of generation 1"),
        ({"losses": b""}, "0 bytes"),
        ({"losses": bytes(7)}, "7 bytes"),
        ({"samples": 9}, "lie before"),
        ({"update": 9}, "lie before"),
        ({"seconds": 0.02}, "lie before"),
        ({"last_batch_size": 2}, "larger"),
        ({"in_update": 1}, "of a group"),
        ({"epochs": 3}, "10 batches are not 3 whole epochs"),
        ({"epochs": 11}, "10 batches are not 11 whole epochs"),
        ({"epochs": 5, "in_update": 1, "accumulation_steps": 2}, "whole epochs"),
        ({"samples": 10**15}, "out of range"),
        ({"batch_size": 10**15, "last_batch_size": 10**15}, "out of range"),
        ({"update": 10**15}, "out of range"),
    ],
)
def test_a_chunk_that_cannot_follow(different: dict[str, Any], told: str) -> None:
    assert told in refusal(started(), CHUNK, replace(NEXT, **different))


def test_a_chunk_of_several_epochs() -> None:
    several = replace(CHUNK, epochs=5, accumulation_steps=4, last_batch_size=1, batch_size=3)
    sequence = Sequence()
    sequence.add(several)
    following = replace(NEXT, epoch=several.last_epoch + 1, update=6, samples=several.end_samples)
    sequence.add(following)
    for different in ({"epoch": several.last_epoch - 1}, {"update": 4}, {"samples": 19}):
        assert "lie before" in refusal(several, replace(following, **different))


def test_an_epoch_that_goes_back() -> None:
    later = replace(CHUNK, epoch=2)
    assert "lie before" in refusal(started(), later, replace(NEXT, epoch=1))


def test_generations_that_go_back_or_come_twice() -> None:
    assert "cannot begin" in refusal(started(2), started(1))
    assert "cannot begin" in refusal(started(1), started(1))
    assert "cannot begin" in refusal(CHUNK, started(1))
    for record in (CHUNK, evaluation(1), changed(1)):
        assert "amid those of generation 2" in refusal(started(1), started(2), record)


def test_measurements_and_changes_that_go_back() -> None:
    assert "lie before" in refusal(started(), evaluation(20), evaluation(10))
    assert "lie before" in refusal(started(), evaluation(20, epoch=2), evaluation(20, epoch=1))
    assert "lie before" in refusal(started(), changed(20), changed(10))
    inside = Validated(
        generation=1, epoch=1, batches=9, updates=9, samples=9, seconds=0.1, loss=0.1
    )
    assert "lie before" in refusal(started(), inside, replace(inside, batches=8))


def test_settings_that_cannot_be_worked_out_for_the_training_set() -> None:
    assert "drops all" in refusal(started(batch_size=3_000, drop_last=True))
    assert "drops all" in refusal(started(), changed(1, batch_size=3_000, drop_last=True))
    absurd = VariantSettings(lr=1e308, lr_scaling=LrScaling.LINEAR, base_batch=1)
    Sequence().add(replace(started(), settings=absurd))  # diverges, but can be


@pytest.mark.parametrize(
    "found",
    [
        {"noise": noise(trace=1e200)},
        {"noise": noise(covariance=(1.0, -1e300, 1.0))},
        {"sharpness": Sharpness(value=1e200, error=0.0, products=1, samples=1)},
    ],
)
def test_measurements_out_of_range(found: dict[str, Any]) -> None:
    assert "out of range" in refusal(measured(**found))


def test_rounding_of_imported_seconds_is_no_step_back() -> None:
    sequence = Sequence()
    sequence.add(CHUNK)
    sequence.add(replace(NEXT, seconds=CHUNK.seconds - 1e-9))


@pytest.mark.parametrize(
    ("different", "said"),
    [
        ({"lr": bytes(8 * 9)}, "72 bytes, not 8 for each update"),
        ({"lr": bytes(8 * 10 + 1)}, "81 bytes"),
        ({"lr": b""}, "0 bytes"),
        ({"lr": np.full(10, -0.1).tobytes()}, "below 0"),
        ({"lr": np.full(10, np.nan).tobytes()}, "not a number"),
        ({"clipped": 11}, "more updates"),
        ({"skipped": 11}, "more updates"),
    ],
)
def test_updates_are_judged_by_their_number(different: dict[str, Any], said: str) -> None:
    assert said in refusal(started(), replace(CHUNK, **different))


def test_an_lr_for_each_update_is_taken() -> None:
    lrs = np.linspace(0.0, 1.0, 10)
    lrs[-1] = np.inf
    sequence = Sequence()
    sequence.add(started())
    sequence.add(replace(CHUNK, lr=lrs.tobytes(), clipped=10, skipped=3))
    # Ten batches of groups of four, the first of which has begun: three updates.
    sequence.add(replace(NEXT, accumulation_steps=4, in_update=2, lr=bytes(8 * 3)))


def scalars(*batches: int, values: int | None = None) -> Scalars:
    count = len(batches) if values is None else values
    return Scalars(
        generation=1,
        batches=struct.pack(f"<{len(batches)}Q", *batches),
        values={"norm": struct.pack(f"<{count}d", *range(count))},
    )


@pytest.mark.parametrize("batches", [(1,), (10,), (2, 3, 10)])
def test_numbers_of_batches_that_the_log_holds_are_taken(batches: tuple[int, ...]) -> None:
    sequence = Sequence()
    for record in (CHUNK, scalars(*batches), NEXT):
        sequence.add(record)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (scalars(), "8 bytes"),
        (scalars(1, 2, values=1), "8 bytes"),
        (replace(scalars(1), batches=b"1234567"), "8 bytes"),
        (scalars(0, 1), "does not hold"),
        (scalars(10, 11), "does not hold"),
        (scalars(3, 2), "in no order"),
        (scalars(2, 2), "in no order"),
        (scalars(2**64 - 1), "does not hold"),
        (replace(scalars(1), generation=2), "generation 2"),
    ],
)
def test_numbers_that_fit_no_batches_are_refused(record: Scalars, said: str) -> None:
    assert said in refusal(CHUNK, record)
