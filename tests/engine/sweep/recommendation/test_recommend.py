"""Recommendations from made-up tables."""

import math
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from engine.settings import FULL, BatchSize, LrScaling
from engine.sweep.recommendation.recommend import Terms, predict, recommend, update_time
from engine.sweep.table import Recommendation, SweepRow, lesson

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
    found = predict(rows, terms(noise, scaling=scaling))
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
    found = predict(LADDER, terms(noise))
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
    before = predict(LADDER, terms(noise))
    assert before is not None
    for at, each in enumerate(LADDER):
        assert each.ms_per_update is not None
        other = list(LADDER)
        other[at] = row(each.batch_size, each.ms_per_update * factor)
        after = predict(other, terms(noise))
        assert after is not None
        assert abs(ladder.index(after.batch_size) - ladder.index(before.batch_size)) <= 1


def test_what_does_not_fit_is_accumulated() -> None:
    found = predict(LADDER, terms(1000, limit=3))
    assert found is not None
    assert (found.batch_size, found.accumulation_steps) == (32, 16)
    assert found.lr == 5.12  # of the 512 samples behind an update
    assert found.reason.endswith("; 3 MB hold 32 at once, the rest is accumulated.")


def test_what_fits_is_not_accumulated() -> None:
    found = predict(LADDER, terms(100, limit=4))
    assert found is not None
    assert (found.batch_size, found.accumulation_steps) == (128, 1)
    assert "MB" not in found.reason


def test_where_nothing_fits_that_is_said() -> None:
    found = predict(LADDER, terms(1000, limit=0.5))
    assert found is not None
    assert (found.batch_size, found.accumulation_steps) == (1, 512)
    assert "no batch size fits" in found.reason


BEHIND = learnt((0.2, 0.2), (0.5, 0.25), (0.6, 0.3), (0.7, 0.35), (0.8, 0.4))
LEVEL = learnt((0.2, 0.29), (0.5, 0.3), (0.6, 0.3), (0.7, 0.35), (0.8, 0.4))
LOWEST = learnt((0.7, 0.4), (0.65, 0.35), (0.6, 0.3), (0.7, 0.35), (0.8, 0.4))
SCALED = learnt((0.6, 0.6), (0.6, 0.4), (0.6, 0.2), (0.6, 0.1), (0.6, 0.05), lrs=(1, 2, 4, 8, 16))


def best(
    rows: Sequence[SweepRow], limit: float | None = None, **other: LrScaling
) -> Recommendation:
    """The settings measured best."""
    found = recommend(rows, terms(100, limit, **other))
    assert found is not None
    return found


def test_the_headline_is_the_lowest_loss_in_the_same_time_whatever_theory_says() -> None:
    found = best(BEHIND)
    assert (found.batch_size, found.accumulation_steps) == (1, 1)
    assert found.reason == (
        "batch size 1 had the lowest loss on all data in equal seconds (0.2) at the lr of 0.01 "
        "tried here, not scaled with the batch."
    )
    assert reason(BEHIND).endswith(
        "; at the lr of 0.01 tried here, not scaled with the batch, its loss in equal seconds was "
        "higher than that of batch size 1 (0.3 against 0.2), so tune its lr before you take it."
    )
    found = best(SCALED, scaling=LrScaling.LINEAR)
    assert found.batch_size == FULL
    assert "at the lr that linear scaling gave" in found.reason
    assert "0.2 against 0.05" in reason(SCALED, scaling=LrScaling.LINEAR)


def test_what_is_level_with_the_best_and_equal_epochs_are_told() -> None:
    assert reason(LOWEST).endswith("it was measured best too (0.3).")
    assert best(LEVEL).reason.endswith("and batch size 32 and batch size 128 came within 5% of it.")
    unlike = learnt((0.2, 0.4), (0.5, 0.3), (0.6, 0.5), (0.7, 0.6), (0.8, 0.7))
    assert best(unlike).reason.endswith(
        ", though in equal epochs it is behind batch size 1, which made more updates (0.5 against "
        "0.2)."
    )


def test_without_losses_in_equal_seconds_those_in_equal_epochs_decide() -> None:
    found = best([replace(row, loss_equal_seconds=None) for row in SCALED[:2]])
    assert found.batch_size == 1
    assert "in equal epochs (0.6)" in found.reason
    assert recommend(LADDER, terms(100)) is None
    assert "equal seconds" not in reason(LADDER)


def test_what_diverged_is_never_best() -> None:
    runaway = [replace(BEHIND[0], state="diverged"), *BEHIND[1:]]
    assert best(runaway).batch_size == 32
    assert recommend([replace(BEHIND[0], state="diverged")], terms(100)) is None


def test_the_best_that_does_not_fit_is_accumulated() -> None:
    found = best(SCALED, limit=20)
    assert (found.batch_size, found.accumulation_steps) == (512, 4)
    assert found.reason.endswith("; 20 MB hold 512 at once, the rest is accumulated.")


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
    found = predict(rows, terms(1000))
    assert found is not None
    assert found.batch_size == 1
    assert predict(rows[1:], terms(1000)) is None
