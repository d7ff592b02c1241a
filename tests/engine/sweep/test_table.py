"""The lesson's words for each batch size."""

import msgspec

from engine.settings import FULL
from engine.sweep.table import lesson


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
