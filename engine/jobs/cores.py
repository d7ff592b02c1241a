"""The number of CPU cores, and each worker's share of threads."""

import os


def fair_threads(cores: int, workers: int) -> int:
    """Intra-op threads per worker: an equal share of the cores, except one left for the screen.

    If there are more threads than free cores, they wait for each other at every operation: on two
    cores, a full-batch step of one worker took twice as long with two threads as with one.
    """
    return max(1, (cores - 1) // workers)


def usable_cores() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
