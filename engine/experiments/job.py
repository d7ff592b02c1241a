"""An experiment as work for a process of its own: what it is told, and what it does there.

Importing this loads no torch: only the process that runs the experiment needs it.
"""

import time

import msgspec

from engine.experiments import registry
from engine.experiments.report import Report
from engine.jobs.process_job import Tell


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What to run, and how."""

    name: str
    seeds: tuple[int, ...]
    device: str
    threads: int


def work(task: Task, tell: Tell) -> Report:
    """Run the experiment in this process; SettingsError for what is not there."""
    import torch

    from engine.training.devices import find_device

    torch.set_num_threads(task.threads)
    began = time.monotonic()
    report = registry.run(task.name, task.seeds, find_device(task.device), tell)
    return msgspec.structs.replace(report, seconds=time.monotonic() - began)
