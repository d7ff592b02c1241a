"""What is recommended from made-up tables, and where a curve was when."""

import msgspec
import pytest

from engine.settings import FULL, BatchSize
from engine.sweep.recommend import Terms, recommend, update_time
from engine.sweep.table import Row, lesson
from engine.sweep.timeline import best_by, loss_at, seconds_to

N = 2000


def row(size: BatchSize, ms: float | None, memory: float = 1.0, state: str = "finished") -> Row:
    samples = N if size == FULL else int(size)
    return Row(
        batch_size=size,
        accumulation_steps=1,
        samples_per_update=samples,
        lr=0.01,
        gradient_noise=None,
        samples_per_s=None if ms is None else samples / ms * 1000,
        ms_per_update=ms,
        peak_memory_mb=memory,
        loss_equal_epochs=None,
        loss_equal_seconds=None,
        seconds_to_loss=None,
        generalisation_gap=None,
        state=state,
        lesson=lesson(size),
    )


LADDER = (row(1, 1.0, 1), row(32, 1.1, 2), row(128, 1.5, 4), row(512, 3.0, 16), row(FULL, 9.0, 64))
"""About 1 ms + 4 µs a sample."""


def terms(noise: float | None, limit: float | None = None) -> Terms:
    return Terms(noise_scale=noise, memory_limit_mb=limit, lr=lambda row, samples: samples / 100)


@pytest.mark.parametrize(
    ("noise", "size"),
    [(None, FULL), (0.01, 1), (5, 32), (100, 128), (1000, 512), (1e6, FULL)],
)
def test_the_noise_scale_moves_the_choice_up_the_ladder(noise: float | None, size: BatchSize) -> None:
    found = recommend(LADDER, terms(noise))
    assert found is not None
    assert (found.batch_size, found.accumulation_steps) == (size, 1)
    assert found.lr == (size if isinstance(size, int) else N) / 100
    assert found.reason.endswith(".")


@pytest.mark.parametrize("factor", [0.6, 1.7])
@pytest.mark.parametrize("noise", [5, 50, 500])
def test_a_time_that_was_disturbed_moves_it_by_one_step_at_most(factor: float, noise: float) -> None:
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
    assert "3 MB hold 32 at once" in found.reason


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


def test_an_updates_time_is_a_line_in_the_batch() -> None:
    assert update_time([row(size, 2 + 0.01 * size) for size in (1, 10, 1000)]) == pytest.approx((2, 0.01))
    assert update_time([row(10, 2.0), row(20, 1.0)])[1] == 0
    assert update_time([row(10, 1.0), row(20, 3.0)])[0] == 0


def test_what_diverged_or_was_not_timed_is_not_recommended() -> None:
    rows = (row(1, 1.0), row(32, 1.0, state="diverged"), row(128, None))
    found = recommend(rows, terms(1000))
    assert found is not None
    assert found.batch_size == 1
    assert recommend(rows[1:], terms(1000)) is None


def test_the_lessons_words() -> None:
    assert [lesson(size).gradient_quality for size in (1, 31, 32, 127, 128, 512, 4096)] == [
        "very noisy",
        "very noisy",
        "moderate noise",
        "moderate noise",
        "low noise",
        "very clean",
        "very clean",
    ]
    assert msgspec.to_builtins(lesson(FULL)) == {
        "gradient_quality": "exact",
        "gpu_efficiency": "varies",
        "generalisation": "risk of sharp minima",
        "memory": "very high",
    }


CURVE = ((0.0, 1.0), (2.0, 0.5), (4.0, 0.6), (6.0, 0.2))


@pytest.mark.parametrize(
    ("seconds", "loss"), [(0, 1.0), (1, 0.75), (2, 0.5), (3, 0.55), (6, 0.2), (6.1, None)]
)
def test_the_loss_at_a_time_lies_on_the_line_between_two_epochs(seconds: float, loss: float | None) -> None:
    assert loss_at(CURVE, seconds) == (None if loss is None else pytest.approx(loss))


@pytest.mark.parametrize(
    ("loss", "seconds"), [(2.0, 0.0), (1.0, 0.0), (0.75, 1.0), (0.5, 2.0), (0.3, 5.5), (0.1, None)]
)
def test_a_loss_is_reached_when_the_curve_first_gets_there(loss: float, seconds: float | None) -> None:
    assert seconds_to(CURVE, loss) == (None if seconds is None else pytest.approx(seconds))


def test_the_best_by_a_time_counts_what_came_before() -> None:
    assert best_by(CURVE, 3.0) == 0.5
    assert best_by(CURVE, 5.5) == pytest.approx(0.3)
    assert best_by((), 1.0) is None
    assert seconds_to((), 1.0) is None
