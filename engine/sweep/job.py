"""The probe of a sweep as a job for a process of its own, beside the training.

Importing this loads no torch: the job does.
"""

from engine.jobs.messages import ReportProgress
from engine.settings import RunSettings
from engine.sweep.table import ProbeResult


def run_probe(settings: RunSettings, threads: int, report: ReportProgress) -> ProbeResult:
    """Measure the run's variants in this process; SettingsError for what is not there."""
    from engine.sweep.probe import measure

    return measure(settings, threads, report)
