"""The number of CPU cores, and each worker's share of threads."""

import os


def fair_threads(cores: int, workers: int) -> int:
    """Intra-op threads a worker: a share of the cores but one, which stays for the screen.

    Threads that outnumber the free cores wait for each other at every operation: with both of two
    cores given to one worker, a full-batch step took twice as long as with one.
    """
    return max(1, (cores - 1) // workers)


def usable_cores() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
