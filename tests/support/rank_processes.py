"""Work on several ranks, each in a process forked from the test's."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist

Rank = Callable[[int, Path], None]
_MOST_SECONDS = 120


def _on_rank(rank: int, size: int, path: Path, store: str, work: Rank) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"file://{path}/{store}", rank=rank, world_size=size)
    work(rank, path)
    dist.destroy_process_group()


def on_all_ranks(size: int, path: Path, work: Rank, *, store: str = "store") -> list[int | None]:
    """Do the work on all ranks; returns their exit codes. `store`: a file of their own."""
    context = multiprocessing.get_context("fork")
    ranks = [
        context.Process(target=_on_rank, args=(rank, size, path, store, work))
        for rank in range(size)
    ]
    for each in ranks:
        each.start()
    for each in ranks:
        each.join(_MOST_SECONDS)
    codes = [each.exitcode for each in ranks]
    for each in ranks:
        each.kill()
    return codes
