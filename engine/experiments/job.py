"""An experiment as a job for a separate process.

Importing this loads no torch: only the process that runs the experiment needs it.
"""

import time
from pathlib import Path

import msgspec

from engine.experiments import registry
from engine.experiments.report import Report
from engine.jobs.messages import ReportProgress


class ExperimentTask(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment to run, with its settings."""

    name: str
    seeds: tuple[int, ...]
    device: str
    threads: int
    directory: str = ""
    """The directory that keeps the results of arms; empty to keep none."""


def run_experiment(task: ExperimentTask, report: ReportProgress) -> Report:
    """Run the experiment in this process; SettingsError if its device or a package is missing."""
    import torch

    from engine.experiments.arm_store import ArmStore
    from engine.training.devices.process import take_device

    torch.set_num_threads(task.threads)
    began = time.monotonic()
    store = ArmStore(Path(task.directory) if task.directory else None, report)
    found = registry.run(
        task.name, task.seeds, take_device(task.device).device, store.report, store
    )
    return msgspec.structs.replace(found, seconds=time.monotonic() - began)
