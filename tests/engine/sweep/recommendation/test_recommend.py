"""Recommendations from made-up tables."""

import math
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from engine.settings import FULL, BatchSize, LrScaling
from engine.sweep.recommendation.recommend import Terms, recommend, update_time
from engine.sweep.table import SweepRow, lesson

N = 2000


def row(
    size: BatchSize,
    ms: float | None,
    memory: float = 1.0,
    state: str = "finished",
    lr: float = 0.01,
    epochs: float | None = None,
    seconds: float | None = None,
) -> SweepRow:
    samples = N if size == FULL else int(size)
    return SweepRow(
        batch_size=size,
        accumulation_steps=1,
        samples_per_update=samples,
        lr=lr,
        gradient_noise=None,
        samples_per_s=None if ms is None else samples / ms * 1000,
        ms_per_update=ms,
        peak_memory_mb=memory,
        loss_equal_epochs=epochs,
        loss_equal_seconds=seconds,
        seconds_to_loss=None,
        generalisation_gap=None,
        state=state,
        lesson=lesson(size),
    )


LADDER = (row(1, 1.0, 1), row(32, 1.1, 2), row(128, 1.5, 4), row(512, 3.0, 16), row(FULL, 9.0, 64))
"""About 1 ms + 4 µs a sample."""


def terms(
    noise: float | None, limit: float | None = None, scaling: LrScaling = LrScaling.NONE
) -> Terms:
    return Terms(
        noise_scale=noise,
        memory_limit_mb=limit,
        lr_scaling=scaling,
        lr=lambda row, samples: samples / 100,
    )


def reason(
    rows: Sequence[SweepRow], noise: float | None = 100, scaling: LrScaling = LrScaling.NONE
) -> str:
    """The reason for 128."""
    found = recommend(rows, terms(noise, scaling=scaling))
    assert found is not None
    assert found.batch_size == 128
    return found.reason


def learnt(
    *losses: tuple[float | None, float | None], lrs: Sequence[float] = (0.01,) * 5
) -> list[SweepRow]:
    """The ladder with its losses in equal epochs and in equal seconds."""
    return [
        replace(each, loss_equal_epochs=epochs, loss_equal_seconds=seconds, lr=lr)
        for each, (epochs, seconds), lr in zip(LADDER, losses, lrs, strict=True)
    ]


@pytest.mark.parametrize(
    ("noise", "size"),
    [(None, FULL), (0.01, 1), (5, 32), (100, 128), (1000, 512), (1e6, FULL), (math.inf, FULL)],
)
def test_the_noise_scale_moves_the_choice_up_the_ladder(
    noise: float | None, size: BatchSize
) -> None:
    found = recommend(LADDER, terms(noise))
    assert found is not None
    assert (found.batch_size, found.accumulation_steps) == (size, 1)
    assert found.lr == (size if isinstance(size, int) else N) / 100
    assert found.reason.endswith(".")


@pytest.mark.parametrize("factor", [0.6, 1.7])
@pytest.mark.parametrize("noise", [5, 50, 500])
def test_a_time_that_was_disturbed_moves_it_by_one_step_at_most(
    factor: float, noise: float
) -> None:
    ladder = [each.batch_size for each in LADDER]
    before = recommend(LADDER, terms(noise))
    assert before is not None
    for at, each in enumerate(LADDER):
        assert each.ms_per_update is not None
        other = list(LADDER)
        other[at] = row(each.batch_size, each.ms_per_update * factor)
        after = recommend(other, terms(noise))
        assert after is not None
        assert abs(ladder.index(after.batch_size) - ladder.index(before.batch_size)) <= 1


def test_what_does_not_fit_is_accumulated() -> None:
    found = recommend(LADDER, terms(1000, limit=3))
    assert found is not None
    assert (found.batch_size, found.accumulation_steps) == (32, 16)
    assert found.lr == 5.12  # of the 512 samples behind an update
    assert found.reason.endswith("; 3 MB hold 32 at once, the rest is accumulated.")


def test_what_fits_is_not_accumulated() -> None:
    found = recommend(LADDER, terms(100, limit=4))
    assert found is not None
    assert (found.batch_size, found.accumulation_steps) == (128, 1)
    assert "MB" not in found.reason


def test_where_nothing_fits_that_is_said() -> None:
    found = recommend(LADDER, terms(1000, limit=0.5))
    assert found is not None
    assert (found.batch_size, found.accumulation_steps) == (1, 512)
    assert "no batch size fits" in found.reason


BEHIND = learnt((0.2, 0.2), (0.5, 0.25), (0.6, 0.3), (0.7, 0.35), (0.8, 0.4))
LEVEL = learnt((0.2, 0.29), (0.5, 0.3), (0.6, 0.3), (0.7, 0.35), (0.8, 0.4))
LOWEST = learnt((0.7, 0.4), (0.65, 0.35), (0.6, 0.3), (0.7, 0.35), (0.8, 0.4))
SCALED = learnt((0.6, 0.6), (0.6, 0.4), (0.6, 0.2), (0.6, 0.1), (0.6, 0.05), lrs=(1, 2, 4, 8, 16))


def test_a_table_that_speaks_for_another_at_its_lr_is_not_kept_silent() -> None:
    assert reason(BEHIND).endswith(
        "; at the lr of 0.01 tried here, not scaled with the batch, batch size 1 had a lower loss "
        "in equal seconds (0.2 against 0.3) and in equal epochs, so tune the lr from there, or "
        "take batch size 1 at lr 0.01."
    )
    assert reason(SCALED, scaling=LrScaling.LINEAR).endswith(
        "; at the lr that linear scaling gave, the full batch had a lower loss in equal seconds "
        "(0.05 against 0.2), so tune the lr from there, or take the full batch at lr 16."
    )


def test_a_table_that_agrees_is_called_as_a_witness() -> None:
    assert reason(LOWEST).endswith("it had the lowest loss in equal seconds (0.3).")
    assert reason(LEVEL).endswith(
        "it tied with the lowest loss in equal seconds (0.3 and 0.29), though in equal epochs it "
        "is behind batch size 1, which made more updates (0.6 against 0.2)."
    )


def test_what_diverged_is_no_rival_and_what_was_not_measured_is_not_held_against_it() -> None:
    runaway = [replace(BEHIND[0], state="diverged"), *BEHIND[2:]]
    assert reason(runaway).endswith("it had the lowest loss in equal seconds (0.3).")
    assert "equal seconds" not in reason(LADDER)


def test_throughput_is_described_as_it_is() -> None:
    assert "throughput grows up to the full batch;" in reason(LOWEST)
    flat = [row(1, 1.0), row(32, 1.1), row(128, 1.5), row(512, 5.0), row(FULL, 19.0)]
    assert reason(flat).endswith("throughput is near its best from batch size 128 on.")


def test_an_updates_time_is_a_line_in_the_batch() -> None:
    assert update_time([row(size, 2 + 0.01 * size) for size in (1, 10, 1000)]) == pytest.approx(
        (2, 0.01)
    )
    assert update_time([row(10, 2.0), row(20, 1.0)])[1] == 0
    assert update_time([row(10, 1.0), row(20, 3.0)])[0] == 0


def test_what_diverged_or_was_not_timed_is_not_recommended() -> None:
    rows = (row(1, 1.0), row(32, 1.0, state="diverged"), row(128, None))
    found = recommend(rows, terms(1000))
    assert found is not None
    assert found.batch_size == 1
    assert recommend(rows[1:], terms(1000)) is None
