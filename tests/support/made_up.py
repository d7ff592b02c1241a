"""Made-up results: a sweep, a landscape."""

from engine.landscape.plane import Window
from engine.landscape.protocol import SurveyStarted
from engine.settings import FULL, BatchSize
from engine.sweep.table import Noise, Recommendation, Sweep, SweepRow, lesson

WINDOW = Window(left=-2, right=3, bottom=-1, top=2)


def laid(**different: object) -> SurveyStarted:
    return SurveyStarted(
        **{
            "id": 0, "window": WINDOW, "explained": 0.931, "is_exact": False, "samples": 2000,
            "n": 2000, "normalises": False, "remembers_more": False, **different,
        }
    )  # fmt: skip


def row(size: BatchSize, samples: int, speed: float | None, *, state: str = "finished") -> SweepRow:
    return SweepRow(
        batch_size=size,
        accumulation_steps=1,
        samples_per_update=samples,
        lr=0.01,
        gradient_noise=0.0 if size == FULL else 10 / samples,
        samples_per_s=speed,
        ms_per_update=None if speed is None else samples / speed * 1000,
        peak_memory_mb=1.5,
        loss_equal_epochs=0.25,
        loss_equal_seconds=0.125,
        seconds_to_loss=None if speed is None else 1e4 / speed,
        generalisation_gap=None,
        state=state,
        lesson=lesson(size),
    )


SWEEP = Sweep(
    problem="synthetic",
    device="cpu",
    seed=3,
    epochs=5,
    seconds=1.25,
    target_loss=0.2,
    noise_scale=Noise(value=65.0, low=60.0, high=None, place="after one epoch at batch size 64"),
    memory_limit_mb=None,
    rows=(row(1, 1, 1000.0), row(128, 128, 50_000.0), row(FULL, 2000, 90_000.0)),
    recommendation=Recommendation(batch_size=128, lr=0.02, accumulation_steps=4, reason="Because."),
    prediction=Recommendation(batch_size=32, lr=0.01, accumulation_steps=1, reason="In theory."),
)
