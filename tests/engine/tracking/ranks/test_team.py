"""Loops of 2 and 3 ranks: the weights of plain DDP, one record, orders at the same update."""

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributed as dist
from ranks import on_all, warm_optimizer
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

from engine.log.commands import Change, Pause, Resume
from engine.log.records import State, StateChanged
from engine.session.host.client import HostError, HostLink, find_host
from engine.settings import VariantSettings
from engine.tracking.api import track
from engine.tracking.run import TrackedRun
from gdtui.api.run import open_run

SAMPLES, BATCH, EPOCHS = 48, 4, 2


class Loop:
    """A data-parallel problem in float64, the same on all ranks."""

    def __init__(self, workers: int = 0, samples: int = SAMPLES) -> None:
        torch.manual_seed(0)
        x = torch.randn(samples, 3, dtype=torch.float64)
        data = TensorDataset(x, x.sum(1, keepdim=True).sin())
        self.model = DistributedDataParallel(nn.Linear(3, 1).double())
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.05, momentum=0.9)
        self.sampler: Any = DistributedSampler(data, seed=3)
        self.loader = DataLoader(data, batch_size=BATCH, sampler=self.sampler, num_workers=workers)
        self.losses: list[float] = []

    def loss(self, batch: Any) -> Tensor:
        x, y = batch
        loss = nn.functional.mse_loss(self.model(x), y)
        self.losses.append(float(loss.detach()))
        return loss

    @property
    def weights(self) -> Tensor:
        return torch.cat([each.detach().reshape(-1) for each in self.model.parameters()])


def plain(accumulation: int) -> Tensor:
    """The weights of a script without gdtui, which averages a group of equal batches."""
    loop = Loop()
    for epoch in range(EPOCHS):
        loop.sampler.set_epoch(epoch)
        for index, batch in enumerate(loop.loader, start=1):
            (loop.loss(batch) / accumulation).backward()  # type: ignore[no-untyped-call]
            if index % accumulation == 0:
                loop.optimizer.step()
                loop.optimizer.zero_grad()
    return loop.weights


@pytest.fixture(autouse=True, scope="module")
def _warm() -> None:
    warm_optimizer()


def compare(rank: int, path: Path) -> None:
    for accumulation in (1, 2):
        expected, loop = plain(accumulation), Loop()
        run = track(
            loop.optimizer,
            loop.loader,
            model=loop.model,
            accumulation=accumulation,
            name="mine",
            run_dir=path / str(accumulation),
        )
        for batch in run.epochs(EPOCHS):
            run.step(loop.loss(batch))
        assert (loop.weights - expected).abs().max() < 1e-12
        assert accumulation > 1 or torch.equal(loop.weights, expected)
        losses = torch.tensor(loop.losses, dtype=torch.float64)
        dist.all_reduce(losses)
        run.close()
        if rank == 0:
            np.save(path / f"{accumulation}.npy", losses.numpy() / dist.get_world_size())


@pytest.mark.parametrize("size", [2, 3])
def test_ranks_train_as_plain_ddp_and_rank_0_records_the_mean(size: int, tmp_path: Path) -> None:
    on_all(size, tmp_path, compare)
    batches = SAMPLES // size // BATCH
    for accumulation in (1, 2):
        (found,) = open_run(tmp_path / str(accumulation)).variants.values()
        assert (found.state, found.incomplete) == (State.FINISHED, "")
        rows = found.latest.batches
        expected = np.load(tmp_path / f"{accumulation}.npy")
        assert np.allclose(rows.loss, expected, rtol=1e-6)
        assert {*rows.batch_size.tolist()} == {BATCH * size}
        assert rows.update[-1] == EPOCHS * batches // accumulation
        assert found.latest.started is not None
        assert found.latest.started.device == f"cpu × {size} ranks"
        assert found.settings.resolve(SAMPLES).effective_batch == BATCH * size * accumulation


def sharded(rank: int, path: Path) -> None:
    """FSDP2 on the CPU: the same weights as without gdtui, and one reduction a group."""
    weights = []
    for is_tracked in (False, True):
        loop = Loop()
        model = nn.Linear(3, 1).double()
        nn.init.ones_(model.weight)
        fully_shard(model, mesh=init_device_mesh("cpu", (dist.get_world_size(),)))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
        if is_tracked:
            run = track(
                optimizer,
                loop.loader,
                model=model,
                accumulation=2,
                name="mine",
                run_dir=path / "fsdp",
            )
            for x, y in run.epochs(1):
                run.step(nn.functional.mse_loss(model(x), y))
            run.close()
        else:
            for index, (x, y) in enumerate(loop.loader):
                model.set_requires_gradient_sync(index % 2 == 1)
                (nn.functional.mse_loss(model(x), y) / 2).backward()
                if index % 2:
                    optimizer.step()
                    optimizer.zero_grad()
        weights.append(model.weight.full_tensor().detach())
    assert (weights[0] - weights[1]).abs().max() < 1e-12


def test_sharded_models_train_alike(tmp_path: Path) -> None:
    on_all(2, tmp_path, sharded)
    (found,) = open_run(tmp_path / "fsdp").variants.values()
    assert found.latest.batches.update.tolist() == [1, 1, 2, 2, 3, 3]


def weighted(rank: int, path: Path) -> None:
    """Ranks with different weights: the gradient is that of the mean over all terms."""
    torch.manual_seed(0)
    x = torch.randn(2, 2, 3, dtype=torch.float64)
    weights = [[3.0, 1.0], [5.0, 0.0]]
    model = DistributedDataParallel(nn.Linear(3, 1).double())
    before = model.module.weight.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    run = TrackedRun(
        optimizer, None, accumulation=2, name="w", run_dir=path / "w", version="0", model=model
    )
    for k in range(2):
        run.step(model(x[rank, k]).sum(), weight=weights[rank][k], samples=1)
    mean = sum(weights[r][k] * x[r, k] for r in range(2) for k in range(2)) / 9
    assert (model.module.weight - (before - mean)).abs().max() < 1e-12
    run.close()


def test_weights_that_differ_between_ranks_count_exactly(tmp_path: Path) -> None:
    on_all(2, tmp_path, weighted)


def obey(rank: int, path: Path) -> None:
    loop, seen = Loop(), []
    run = track(loop.optimizer, loop.loader, model=loop.model, name="mine", run_dir=path / "run")
    client = None
    for count, batch in enumerate(run.epochs(30), start=1):
        seen.append(len(batch[0]))
        if rank == 0 and count == 20:
            client = HostLink(path / "run", find_host(path / "run"), "0", is_viewer=True)
            settings = client.welcome.settings["mine"]
            assert settings.batch_size == 2 * BATCH
            with pytest.raises(HostError, match="a multiple of 2"):
                change(client, settings, batch_size=5)
            change(client, settings, batch_size=16, lr=0.01, accumulation_steps=3)
        if rank == 0 and count == 40:
            assert client is not None
            client.order({"mine": Pause(id=0)})
            threading.Thread(target=resume, args=(client, path / "run")).start()
        run.step(loop.loss(batch))
    run.close()
    torch.save([seen, loop.weights], path / f"{rank}.pt")


def change(client: HostLink, settings: VariantSettings, **new: Any) -> None:
    values = {name: getattr(settings, name) for name in settings.__struct_fields__}
    client.order({"mine": Change(id=0, settings=VariantSettings(**{**values, **new}))})


def resume(client: HostLink, path: Path) -> None:
    while State.PAUSED not in states(path):
        time.sleep(0.02)
    client.order({"mine": Resume(id=0)})


def states(path: Path) -> list[State]:
    (found,) = open_run(path).variants.values()
    return [each.state for each in found.latest.records if isinstance(each, StateChanged)]


def test_orders_are_in_force_on_all_ranks_at_the_same_update(tmp_path: Path) -> None:
    on_all(2, tmp_path, obey)
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    assert first[0] == second[0]  # the sizes of the batches
    assert torch.equal(first[1], second[1])
    assert {4, 8} <= {*first[0]}
    (found,) = open_run(tmp_path / "run").variants.values()
    rows = found.latest.batches
    assert len(rows) == len(first[0])
    assert rows.batch_size.tolist() == [2 * each for each in first[0]]
    (changed,) = found.latest.changes
    assert rows.lr.tolist() == [0.05 if k < changed.batch else 0.01 for k in rows.batch]
    assert rows.update[changed.batch - 2] < rows.update[changed.batch - 1]  # a group boundary
    assert [each.name for each in states(tmp_path / "run")] == [
        "RUNNING", "PAUSED", "RUNNING", "FINISHED",
    ]  # fmt: skip


def obey_ahead(rank: int, path: Path) -> None:
    """Loader workers read 2 × 2 batches ahead; the ranks have read the same number of them."""
    loop, seen = Loop(workers=2, samples=160), []
    run = track(
        loop.optimizer,
        loop.loader,
        model=loop.model,
        accumulation=3,
        name="mine",
        run_dir=path / "run",
    )
    for count, batch in enumerate(run.epochs(2), start=1):
        seen.append(len(batch[0]))
        if rank == 0 and count == 4:
            client = HostLink(path / "run", find_host(path / "run"), "0")
            settings = client.welcome.settings["mine"]
            change(client, settings, batch_size=12, accumulation_steps=1, lr=0.01)
            client.close()
        run.step(loop.loss(batch))
    run.close()
    torch.save([seen, loop.weights], path / f"{rank}.pt")


def test_a_batch_size_is_in_force_after_what_the_workers_of_all_ranks_have_read(
    tmp_path: Path,
) -> None:
    on_all(2, tmp_path, obey_ahead)
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    assert first[0] == second[0]
    assert torch.equal(first[1], second[1])
    (found,) = open_run(tmp_path / "run").variants.values()
    rows, (changed,) = found.latest.batches, found.latest.changes
    assert rows.batch_size.tolist() == [2 * each for each in first[0]]
    assert changed.command == 1
    assert (changed.batch - 1) % 3 == 0  # between two groups
    before, after = first[0][: changed.batch - 1], first[0][changed.batch - 1 :]
    assert {*before} == {BATCH}
    assert {*after} <= {6, (80 - BATCH * len(before)) % 6, 80 % 6}
    assert after[0] == 6
    assert rows.lr.tolist() == [0.05] * len(before) + [0.01] * len(after)
    groups = [-(-place // 3) for place in range(1, len(before) + 1)]
    assert rows.update.tolist() == [*groups, *range(groups[-1] + 1, groups[-1] + len(after) + 1)]


def lose_a_record(rank: int, path: Path) -> None:
    """The record of rank 1 is lost before a pause is ordered: no rank obeys, and none waits."""
    loop, seen = Loop(), []
    run = track(loop.optimizer, loop.loader, model=loop.model, name="mine", run_dir=path / "run")
    for count, batch in enumerate(run.epochs(6), start=1):
        seen.append(len(batch[0]))
        if rank == 1 and count == 9:
            run.forget()
        if rank == 0 and count == 10:
            client = HostLink(path / "run", find_host(path / "run"), "0", is_viewer=True)
            client.order({"mine": Pause(id=0)})
            change(client, client.welcome.settings["mine"], batch_size=2)
        run.step(loop.loss(batch))
    run.close()
    torch.save([seen, loop.weights], path / f"{rank}.pt")


def test_a_rank_that_cannot_obey_keeps_the_others_from_obeying(tmp_path: Path) -> None:
    on_all(2, tmp_path, lose_a_record)
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    assert first[0] == second[0] == [BATCH] * 36
    assert torch.equal(first[1], second[1])
    (found,) = open_run(tmp_path / "run").variants.values()
    assert len(found.latest.batches) == 36
    assert found.state is State.FINISHED
