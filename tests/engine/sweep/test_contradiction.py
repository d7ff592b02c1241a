"""Words of the lesson beside figures that contradict them."""

import math

import pytest
from made_up import row
from msgspec.structs import replace

from engine.settings import FULL
from engine.sweep.contradiction import contradicted, marked


@pytest.mark.parametrize(
    ("column", "words", "figures", "marks"),
    [
        ("gpu_efficiency", ("poor", "good", "excellent"), (1e3, 2e4, 9e4), (0, 0, 0)),
        ("gpu_efficiency", ("poor", "good", "excellent"), (1e3, 9e4, 2e4), (0, 1, 1)),
        ("gpu_efficiency", ("good", "excellent"), (1e4, 0.95e4), (0, 0)),  # as good as level
        ("gpu_efficiency", ("poor", "excellent"), (1e4, 1.01e4), (1, 1)),
        ("gpu_efficiency", ("poor", "varies"), (1e4, 1e3), (0, 0)),
        ("memory", ("minimal", "very high"), (300.0, 301.0), (1, 1)),
        ("memory", ("minimal", "low"), (300.0, 301.0), (0, 0)),
        ("memory", ("minimal", "low", "high"), (None, math.nan, 5.0), (0, 0, 0)),
        ("gradient_quality", ("very noisy", "exact"), (0.1, math.inf), (0, 0)),
        ("gradient_quality", ("moderate noise", "low noise"), (3.0, 0.2), (1, 1)),
        ("generalisation", ("good", "may overfit"), (0.1, 0.1), (0, 0)),  # it may, it need not
        ("generalisation", ("good", "may overfit"), (0.2, 0.1), (1, 1)),
        ("generalisation", ("good", "may overfit"), (0.02, -0.001), (0, 0)),  # within the noise
    ],
)
def test_a_word_is_contradicted_by_the_order_of_the_figures(
    column: str, words: tuple[str, ...], figures: tuple[float | None, ...], marks: tuple[int, ...]
) -> None:
    assert contradicted(column, words, figures, noise=0.03) == tuple(map(bool, marks))


def test_the_rows_of_a_sweep_name_the_columns() -> None:
    rows = marked(
        [
            row(1, 1, 90_000.0),
            row(128, 128, 50_000.0),
            replace(row(FULL, 2000, 1.0), peak_memory_mb=9.0, gradient_noise=1e6),
        ]
    )
    assert rows[0].contradicted == ("gradient_quality", "gpu_efficiency", "memory")
    assert rows[1].contradicted == ("gradient_quality", "gpu_efficiency", "memory")
    assert rows[2].contradicted == ("gradient_quality",)
