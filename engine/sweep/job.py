"""The probe of a sweep as a job for a separate process, besides the training.

Importing this loads no torch: the job does.
"""

from engine.jobs.messages import ReportProgress
from engine.settings import RunSettings
from engine.sweep.table import ProbeResult


def run_probe(
    settings: RunSettings, threads: int, stored: str, report: ReportProgress
) -> ProbeResult:
    """Measure the run's variants in this process.

    `stored` is the private directory of the problem's loader, or empty. Raises JobError, a usage
    error if something is not available.
    """
    from engine.problems.error_messages import explained
    from engine.sweep.probe import measure

    with explained(settings.problem):
        return measure(settings, threads, report, stored)
