"""Processes that train together on this machine, over gloo, as torchrun starts them."""

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist

Rank = Callable[[int, Path], None]
"""The work of one rank, in a folder that all share."""


def _on_rank(rank: int, size: int, path: Path, work: Rank) -> None:
    torch.set_num_threads(1)
    here = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size}
    os.environ |= {name: str(value) for name, value in here.items()}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1", "GROUP_RANK": "0"}
    os.environ["TORCHELASTIC_RUN_ID"] = "test"
    dist.init_process_group("gloo", f"file://{path}/store", rank=rank, world_size=size)
    work(rank, path)
    if dist.is_initialized():
        dist.destroy_process_group()


def on_all(size: int, path: Path, work: Rank, *, may_fail: bool = False) -> None:
    """Run `work` in processes of its own, which have torch already."""
    (path / "store").unlink(missing_ok=True)  # of earlier processes
    context = multiprocessing.get_context("fork")
    ranks = [
        context.Process(target=_on_rank, args=(rank, size, path, work)) for rank in range(size)
    ]
    for each in ranks:
        each.start()
    for each in ranks:
        each.join(120)
    codes = [each.exitcode for each in ranks]
    for each in ranks:
        each.kill()
    assert may_fail or codes == [0] * size


def warm_optimizer() -> None:
    """The first step of any optimiser imports torch._dynamo: once here, not on every rank."""
    weight = torch.zeros(1, requires_grad=True)
    weight.sum().backward()  # type: ignore[no-untyped-call]
    torch.optim.SGD([weight], lr=0.1).step()
