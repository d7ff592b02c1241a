"""The probe of a sweep as a job for a separate process, besides the training.

Importing this loads no torch: the job does.
"""

from functools import partial
from typing import Final

from engine.jobs.messages import Failure, ReportProgress
from engine.jobs.process_job import ProcessJob
from engine.settings import RunSettings, SettingsError
from engine.sweep.table import ProbeNote, ProbeResult

PROBE_SHARE: Final = 0.1
"""Share of a sweep's progress that the probe takes."""


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


def probe_arms(
    settings: RunSettings, threads: int, report: ReportProgress, stored: str = ""
) -> ProbeResult:
    """Make the measurements besides training, in a separate process.

    `stored` is the private directory of the problem's loader, or empty. Raises SettingsError for
    settings that cannot be used on this machine. After another failure nothing is measured, and the
    arms show if they can be trained.
    """
    with ProcessJob(
        partial(run_probe, settings, threads, stored),
        "sweep",
        subject="the process that measures them",
    ) as job:
        end = job.wait(lambda progress: report(progress.fraction * PROBE_SHARE, progress.activity))
    if not isinstance(end, Failure):
        return end.value
    if end.is_usage_error:
        raise SettingsError(end.detail)
    note = ProbeNote(text=f"memory and gradient noise not measured: {end.detail}")
    return ProbeResult(peak_bytes=(None,) * len(settings.variants), noise=None, notes=(note,))
