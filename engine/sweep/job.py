"""What a sweep has measured in a process of its own, beside the training: the task and its result.

Importing this loads no torch: the work does.
"""

import msgspec

from engine.jobs.process_job import Tell
from engine.log.measurements import NoiseScale
from engine.settings import RunSettings


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured; None is what could not be."""

    peak_bytes: tuple[int | None, ...]
    """Of each variant; None where it did not fit."""
    noise: NoiseScale | None


def work(settings: RunSettings, threads: int, tell: Tell) -> Probed:
    """Measure the run's variants in this process; SettingsError for what is not there."""
    from engine.sweep.probe import measure

    return measure(settings, threads, tell)
