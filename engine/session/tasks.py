"""The task of a worker, from the settings of its run and the state of its session."""

from typing import Any

from engine.jobs.cores import fair_threads, usable_cores
from engine.log.directory import RunDirectory
from engine.session.builds.job import BuildTask
from engine.session.remote_worker import RemoteWorker
from engine.settings import Variant
from engine.worker.protocol import BuildWanted, WorkerTask


def build_task(run: RunDirectory, worker: RemoteWorker, note: BuildWanted) -> BuildTask:
    """The task of building a compiled step for a worker."""
    return BuildTask(
        spec=note.spec,
        run=run.info.settings,
        device=worker.device,
        threads=worker.threads,
        stored=run.custody.stored,
        least_operations=note.least_operations,
    )


def worker_task(
    run: RunDirectory, worker: RemoteWorker, variant: Variant, number: int, **state: Any
) -> WorkerTask:
    """The task of a variant's worker with this number; `state` is what the session changes."""
    settings = run.info.settings
    names = [each.name for each in settings.variants]
    devices = [settings.device_of(place) for place in range(len(names))]
    logs = {name: str(run.variant_log(name)) for name in names}
    return WorkerTask(
        run=settings,
        variant=variant,
        device=worker.device or devices[names.index(variant.name)],
        devices=tuple(devices),
        stored=run.custody.stored,
        log=logs[variant.name],
        logs=logs,
        origin=worker.origin,
        output=str(run.variant_output(variant.name)),
        threads=worker.threads or settings.threads or fair_threads(usable_cores(), len(names)),
        is_resumed=number == worker.resumes,
        number=number,
        **state,
    )
