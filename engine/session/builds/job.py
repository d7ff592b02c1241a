"""The job that builds a compiled step, in a process with the priority of the workers.

With the lowest priority, three workers on two cores would leave it 9% of a core.

Importing this module does not load torch; the work does, in its process.
"""

import contextlib
import os
import signal

import msgspec

from engine.jobs.messages import ReportProgress
from engine.settings import RunSettings
from engine.training.compiled.cache.work_folder import (
    abandon_work,
    default_folder,
    remove_abandoned,
)
from engine.worker.protocol import BuildAnswer

_WHY_NOT = "compiling it would not make it faster: arithmetic takes up the time"


class BuildTask(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the job needs; the problem is opened as the workers open it."""

    spec: bytes
    run: RunSettings
    device: str
    threads: int
    stored: str = ""
    """The private directory with what the loader found."""
    least_operations: int = 0
    """Operations of an update below which nothing is compiled."""


def build_step(task: BuildTask, report: ReportProgress) -> BuildAnswer:
    """The compiled step, or the reason why there is none."""
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)  # so that `kill_compilers` reaches the compilers, too
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"  # read as torch's compiler is imported
    from engine.problems.opening import open_on_device
    from engine.training.compiled.build import build, rehearse
    from engine.training.compiled.cache.programs import BuildCache
    from engine.worker.compiling.library import described

    report(0.0, "tracing the update")
    _, problem = open_on_device(task.run, task.device, task.threads, stored=task.stored)
    spec, seed = described(task.spec), task.run.seed

    def wanted(operations: int) -> bool:
        return operations >= task.least_operations

    try:
        if spec.device == "cuda":
            built = rehearse(problem, spec, seed, wanted)
        else:
            built = build(problem, spec, seed, BuildCache(default_folder()), wanted)
    except Exception as error:  # whatever torch raises
        return BuildAnswer(spec=task.spec, reason=_reason(error))
    if built is None:
        return BuildAnswer(spec=task.spec, reason=_WHY_NOT)
    return BuildAnswer(spec=task.spec, path=built.path, key=built.key)


def _reason(error: Exception) -> str:
    """The reason why there is no compiled step, in one line."""
    from engine.training.compiled.cache.programs import UnsafeCacheError
    from engine.training.compiled.spec import UnsuitedError, first_line

    if isinstance(error, UnsuitedError | UnsafeCacheError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"the compiled step cannot be kept in {default_folder()}: {error.strerror}"
    return f"it cannot be compiled: {first_line(error)}"


def kill_compilers() -> None:
    """End this process at once, with the compilers that it has started and their files."""
    abandon_work()
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)


def clear_up(process: int) -> None:
    """End the compilers that such a process has left when it was killed; remove their files."""
    with contextlib.suppress(OSError):
        os.killpg(process, signal.SIGKILL)
    remove_abandoned(default_folder())
