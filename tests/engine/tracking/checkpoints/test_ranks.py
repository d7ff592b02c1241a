"""Ranks that were killed go on together, each with its own random numbers."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributed as dist
from killed_loops import assert_same_rows
from ranks import on_all, warm_optimizer
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

from engine.tracking.checkpoints.continuation import ResumeError
from engine.tracking.run import TrackedRun

SAMPLES, BATCH, EPOCHS = 48, 4, 3
CHECKPOINTS = "run/checkpoints/*.ckpt"


class Loop:
    """A data-parallel problem whose dropout differs between ranks."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        x = torch.randn(SAMPLES, 3, dtype=torch.float64)
        data = TensorDataset(x, x.sum(1, keepdim=True).sin())
        net = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.3), nn.Linear(4, 1)).double()
        torch.manual_seed(dist.get_rank())
        self.model = DistributedDataParallel(net)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=0.01)
        sampler: Any = DistributedSampler(data, seed=3)
        self.loader = DataLoader(data, batch_size=BATCH, sampler=sampler)

    def track(self, path: Path) -> TrackedRun:
        return TrackedRun(
            self.optimizer,
            self.loader,
            accumulation=2,
            name="mine",
            run_dir=path,
            version="0",
            model=self.model,
        )

    def train(self, run: TrackedRun, *, keep_at: int = 0, kill: str = "") -> None:
        for x, y in run.epochs(EPOCHS):
            run.step(nn.functional.mse_loss(self.model(x), y))
            if run.batches == keep_at and dist.get_rank() == 0:  # as scripts do, which is enough
                run.checkpoint(self.model)
            if kill and run.batches > keep_at + 2 and next(Path(kill).glob(CHECKPOINTS), None):
                os.kill(os.getpid(), signal.SIGKILL)
            if kill:
                time.sleep(0.02)  # slow enough that a checkpoint is written before the end

    @property
    def weights(self) -> Tensor:
        return torch.cat([each.detach().reshape(-1) for each in self.model.parameters()])


@pytest.fixture(autouse=True, scope="module")
def _warm() -> None:
    warm_optimizer()


def whole(rank: int, path: Path) -> None:
    loop = Loop()
    run = loop.track(path / "whole")
    loop.train(run)
    run.close()
    np.save(path / f"whole-{rank}.npy", loop.weights.numpy())


def killed(_rank: int, path: Path) -> None:
    loop = Loop()
    run = loop.track(path / "run")
    assert not run.resume(loop.model)
    loop.train(run, keep_at=3, kill=str(path))


def resumed(rank: int, path: Path) -> None:
    loop = Loop()
    torch.manual_seed(9)
    run = loop.track(path / "run")
    assert run.resume(loop.model)
    assert 3 <= run.batches < 18
    loop.train(run)
    run.close()
    np.save(path / f"resumed-{rank}.npy", loop.weights.numpy())


def test_killed_ranks_go_on_bit_for_bit(tmp_path: Path) -> None:
    on_all(2, tmp_path, whole)
    on_all(2, tmp_path, killed, may_fail=True)
    on_all(2, tmp_path, resumed)
    for rank in range(2):
        expected = np.load(tmp_path / f"whole-{rank}.npy")
        assert np.array_equal(np.load(tmp_path / f"resumed-{rank}.npy"), expected)
    assert_same_rows(tmp_path / "run", tmp_path / "whole")
    on_all(3, tmp_path, refused)


def refused(_rank: int, path: Path) -> None:
    """Another number of ranks, or a sharded model."""
    loop = Loop()
    with pytest.raises(ResumeError, match="of 2 ranks, and 3 train now"):
        loop.track(path / "run").resume(loop.model)
    model = nn.Linear(3, 1).double()
    fully_shard(model, mesh=init_device_mesh("cpu", (3,)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    run = TrackedRun(
        optimizer, loop.loader, accumulation=1, name="x", run_dir=path / "x", version="0"
    )
    for x, y in run.epochs(1):
        run.step(nn.functional.mse_loss(model(x), y))
        run.checkpoint(model)
    run.close()
    assert not [*path.glob("x/checkpoints/*")]
