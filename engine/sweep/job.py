"""The probe of a sweep as a job for a separate process, besides the training.

Importing this loads no torch: the job does.
"""

from engine.jobs.messages import ReportProgress
from engine.settings import RunSettings
from engine.sweep.table import ProbeResult


def run_probe(settings: RunSettings, threads: int, report: ReportProgress) -> ProbeResult:
    """Measure the run's variants in this process; SettingsError if something is not available."""
    from engine.sweep.probe import measure

    return measure(settings, threads, report)
