"""A script that is started again gets back its objects, its place and its settings."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from killed_loops import assert_same_rows, rows, tracked
from loop_client import LoopClient
from torch import nn
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader, IterableDataset, Sampler, TensorDataset
from tracked_loops import EPOCHS, SAMPLES, Loop, plain

from engine.checkpoint.store import CheckpointStore
from engine.log.commands import Extend
from engine.log.directory import RunDirectory
from engine.settings import RunSettings, Variant, VariantSettings
from engine.tracking.checkpoints.continuation import ResumeError
from engine.tracking.run import TrackedRun
from gdtui.api.run import open_run

Capture = pytest.CaptureFixture[str]


def begin(
    loop: Loop, path: Path, until: int, *, keep_at: int | None = None, **objects: Any
) -> TrackedRun:
    """Train up to a batch, keep a checkpoint there or before, and end as if that were a mistake."""
    run = tracked(loop, path)
    for batch in run.epochs(EPOCHS):
        run.step(loop.loss(batch))
        for each in objects.values():
            each.step()
        if run.batches == (keep_at or until):
            run.checkpoint(loop.model, **objects)
        if run.batches == until:
            break
    run.close()
    return run


def go_on(loop: Loop, path: Path, epochs: int = EPOCHS, **objects: Any) -> TrackedRun:
    """Train what is left."""
    run = tracked(loop, path)
    assert run.resume(loop.model, **objects)
    for batch in run.epochs(epochs):
        run.step(loop.loss(batch))
        for each in objects.values():
            each.step()
    run.close()
    return run


# --- Objects ------------------------------------------------------------------------------------


SCHEDULERS: dict[str, Callable[[Any], Any]] = {
    "milestones": lambda optimizer: lr_scheduler.MultiStepLR(optimizer, [3, 9, 15], 0.5),
    "one cycle": lambda optimizer: lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=21),
    "chained": lambda optimizer: lr_scheduler.SequentialLR(
        optimizer,
        [
            lr_scheduler.LinearLR(optimizer, 0.1, total_iters=5),
            lr_scheduler.LambdaLR(optimizer, lambda step: 0.9**step),
        ],
        [5],
    ),
}


@pytest.mark.parametrize("kind", SCHEDULERS)
def test_schedulers_go_on(kind: str, tmp_path: Path) -> None:
    expected = Loop()
    begin(expected, tmp_path / "whole", 21, scheduler=SCHEDULERS[kind](expected.optimizer))
    loop = Loop()
    begin(loop, tmp_path / "run", 12, scheduler=SCHEDULERS[kind](loop.optimizer))
    loop = Loop()
    scheduler = SCHEDULERS[kind](loop.optimizer)
    go_on(loop, tmp_path / "run", scheduler=scheduler)
    assert torch.equal(loop.weights, expected.weights)
    assert_same_rows(tmp_path / "run", tmp_path / "whole")
    if kind == "milestones":
        assert type(scheduler.milestones) is Counter


def test_other_modules_and_optimizers_go_on(tmp_path: Path) -> None:
    def second(seed: int) -> tuple[nn.Module, Any]:
        torch.manual_seed(seed)
        module = nn.BatchNorm1d(3)
        module(torch.randn(4, 3)).sum().backward()
        optimizer = torch.optim.Adam(module.parameters())
        optimizer.step()
        return module, optimizer

    loop, (module, optimizer) = Loop(), second(1)
    run = tracked(loop, tmp_path / "run")
    for batch in run.epochs(1):
        run.step(loop.loss(batch))
    run.checkpoint(loop.model, norm=module, second=optimizer)
    run.close()
    loop, (other, adam) = Loop(), second(2)
    run = tracked(loop, tmp_path / "run")
    assert run.resume(loop.model, norm=other, second=adam)
    for name, value in module.state_dict().items():
        assert torch.equal(other.state_dict()[name], value)
    mine, theirs = (each.state_dict()["state"][0]["exp_avg"] for each in (adam, optimizer))
    assert torch.equal(mine, theirs)


# --- Epochs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("until", [5, 7, 12, 14])
def test_calls_for_one_epoch_each_leave_out_those_that_are_done(until: int, tmp_path: Path) -> None:
    expected = plain(Loop())

    def train(loop: Loop, run: TrackedRun, until: int) -> list[int]:
        counts = []
        for _ in range(EPOCHS):
            before = run.batches
            for batch in run.epochs(1):
                run.step(loop.loss(batch))
                if run.batches == until:
                    run.checkpoint(loop.model)
                    run.close()
                    return counts
            counts.append(run.batches - before)
        return counts

    loop = Loop()
    train(loop, tracked(loop, tmp_path / "run"), until)
    loop = Loop()
    run = tracked(loop, tmp_path / "run")
    assert run.resume(loop.model)
    assert run.epoch == (until + 6) // 7
    torch.manual_seed(3)  # such as by an evaluation of the epochs that are done
    left = 21 - until
    assert train(loop, run, 0) == [max(0, min(7, left - 7 * (2 - k))) for k in range(EPOCHS)]
    run.close()
    assert torch.equal(loop.weights, expected.weights)


def test_a_finished_script_trains_more_epochs_if_it_asks_for_them(tmp_path: Path) -> None:
    expected = Loop()
    run = tracked(expected, tmp_path / "whole")
    for batch in run.epochs(5):
        run.step(expected.loss(batch))
    run.close()
    loop = Loop()
    begin(loop, tmp_path / "run", 21)
    before = (tmp_path / "run" / "1-mine.gdlog").read_bytes()
    loop = Loop()
    run = go_on(loop, tmp_path / "run")  # there is nothing left, and nothing is written
    assert (run.batches, run.path) == (21, tmp_path / "run")
    assert (tmp_path / "run" / "1-mine.gdlog").read_bytes() == before
    loop = Loop()
    go_on(loop, tmp_path / "run", 5)
    assert torch.equal(loop.weights, expected.weights)
    assert_same_rows(tmp_path / "run", tmp_path / "whole")


def test_a_loop_of_its_own_counts_with_the_batches_done(tmp_path: Path) -> None:
    def train(loop: Loop, run: TrackedRun, until: int) -> None:
        for _ in range(run.batches, until):
            run.step(loop.loss((torch.randn(4, 3).double(), torch.randn(4, 1).double())), samples=4)

    expected = Loop()
    run = tracked(expected, tmp_path / "whole", loader=None)
    train(expected, run, 30)
    run.close()
    loop = Loop()
    run = tracked(loop, tmp_path / "run", loader=None)
    train(loop, run, 12)
    run.checkpoint(loop.model)
    train(loop, run, 15)
    run.close()
    loop = Loop()
    run = tracked(loop, tmp_path / "run", loader=None)
    assert run.resume(loop.model)
    train(loop, run, 30)
    run.close()
    assert torch.equal(loop.weights, expected.weights)
    assert_same_rows(tmp_path / "run", tmp_path / "whole")


# --- Keys ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 1])
def test_settings_changed_by_key_are_restored(workers: int, tmp_path: Path) -> None:
    """Also a change of the batch size that waits for what a loader worker has read ahead."""

    def make() -> tuple[Loop, TrackedRun]:
        loop = Loop(batch_size=2)
        loop.loader = DataLoader(
            loop.loader.dataset, batch_size=2, shuffle=True, num_workers=workers
        )
        return loop, tracked(loop, path)

    def train(loop: Loop, run: TrackedRun, until: int) -> None:
        for batch in run.epochs(1):
            run.step(loop.loss(batch))
            if run.batches == 4:
                client = LoopClient(path)
                client.change(lr=0.02, accumulation_steps=2, batch_size=3)
                client.order(Extend(id=0, epochs=2))
                client.close()
            if run.batches == 7:
                run.checkpoint(loop.model)
            if run.batches == 20:
                client = LoopClient(path)
                client.change(lr=0.04)
                client.close()
            if run.batches == until:
                break
        run.close()

    path = tmp_path / "whole"
    expected, run = make()
    train(expected, run, 0)
    path = tmp_path / "run"
    train(*make(), 9)
    loop, run = make()
    assert run.resume(loop.model)
    train(loop, run, 0)
    assert torch.equal(loop.weights, expected.weights)
    assert_same_rows(tmp_path / "run", tmp_path / "whole")
    found = rows(tmp_path / "run")
    assert found["epoch"][-1] == 2
    assert {*found["lr"].tolist()} == {0.05, 0.02, 0.04}
    assert {*found["batch_size"].tolist()} >= {2, 3}


# --- Orders that cannot be found again ----------------------------------------------------------


class Stream(IterableDataset[Any]):
    def __init__(self, data: TensorDataset) -> None:
        self.data = data

    def __iter__(self) -> Iterator[Any]:
        return iter([self.data[k] for k in range(SAMPLES)])


class Hidden(Sampler[int]):
    """A sampler whose generator cannot be found."""

    def __iter__(self) -> Iterator[int]:
        return iter(np.random.default_rng().permutation(SAMPLES).tolist())

    def __len__(self) -> int:
        return SAMPLES


class System(Sampler[int]):
    """A sampler whose generator has no state."""

    def __init__(self) -> None:
        self.generator = random.SystemRandom()

    def __iter__(self) -> Iterator[int]:
        return iter(self.generator.sample(range(SAMPLES), SAMPLES))

    def __len__(self) -> int:
        return SAMPLES


LOST: dict[str, tuple[Callable[[Any], dict[str, Any]], str]] = {
    "stream": (lambda data: {"dataset": Stream(data)}, "reads an IterableDataset"),
    "hidden": (lambda data: {"dataset": data, "sampler": Hidden()}, "yields another order"),
    "system": (lambda data: {"dataset": data, "sampler": System()}, "yields another order"),
    "any order": (lambda data: {"dataset": data, "in_order": False}, "in any order"),
}


@pytest.mark.parametrize("kind", LOST)
def test_an_order_that_is_lost_lets_the_epoch_begin_again(
    kind: str, tmp_path: Path, capfd: Capture
) -> None:
    def make() -> Loop:
        loop = Loop()
        loop.loader = DataLoader(batch_size=8, **LOST[kind][0](loop.loader.dataset))
        return loop

    begin(make(), tmp_path / "run", 10)
    loop = make()
    capfd.readouterr()
    go_on(loop, tmp_path / "run")
    assert len(loop.losses) == 14
    said = capfd.readouterr().err.splitlines()
    assert said[0] == "gdtui: mine goes on after batch 10 (epoch 2)"
    assert LOST[kind][1] in said[1]
    assert said[1].endswith("epoch 2 begins again")
    assert len(said) == 2
    variant = open_run(tmp_path / "run").variants["mine"]
    assert variant.incomplete == ""
    assert variant.latest.batches.epoch.tolist() == [2] * 7 + [3] * 7


class Stateful:
    """A loader that restores its place by itself, as torchdata's does."""

    def __init__(self, data: TensorDataset) -> None:
        self.batches = [data[k : k + 10] for k in range(0, SAMPLES, 10)]
        self.place = 0

    def __iter__(self) -> Iterator[Any]:
        while self.place < len(self.batches):
            self.place += 1
            yield self.batches[self.place - 1]
        self.place = 0

    def state_dict(self) -> dict[str, int]:
        return {"place": self.place}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.place = state["place"]


class Wrapped:
    """Has the methods of a stateful loader, as accelerate's, but none inside that has a state."""

    def __init__(self, batches: list[Any]) -> None:
        self._batches = batches

    def __iter__(self) -> Iterator[Any]:
        return iter(self._batches)

    def state_dict(self) -> dict[str, int]:
        raise AttributeError("dl_state_dict")

    def load_state_dict(self, state: dict[str, int]) -> None:
        raise AttributeError("dl_state_dict")


@pytest.mark.parametrize("kind", ["list", "stateful", "wrapped"])
def test_other_loaders_are_read_from_where_they_were(kind: str, tmp_path: Path) -> None:
    def make() -> Loop:
        loop = Loop()
        stateful: Any = Stateful(loop.loader.dataset)  # type: ignore[arg-type]
        kinds = {"stateful": stateful, "wrapped": Wrapped(stateful.batches)}
        loop.loader = kinds.get(kind, stateful.batches)
        return loop

    expected = make()
    begin(expected, tmp_path / "whole", 15)
    begin(make(), tmp_path / "run", 9, keep_at=7)
    loop = make()
    go_on(loop, tmp_path / "run")
    assert torch.equal(loop.weights, expected.weights)
    assert_same_rows(tmp_path / "run", tmp_path / "whole")


# --- Checkpoints that cannot be used ------------------------------------------------------------


def checkpoints(path: Path) -> list[Path]:
    (log,) = RunDirectory.open(path).info.logs
    return [each.path for each in CheckpointStore(path / log).stored()]


def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path, capfd: Capture) -> None:
    expected, loop = plain(Loop()), Loop()
    run = tracked(loop, tmp_path / "run")
    for batch in run.epochs(EPOCHS):
        run.step(loop.loss(batch))
        if run.batches in (4, 9):
            run.checkpoint(loop.model)
        if run.batches == 10:
            break
    run.close()
    last = checkpoints(tmp_path / "run")[-1]
    data = bytearray(last.read_bytes())
    data[-100] ^= 1
    last.write_bytes(data)
    loop = Loop()
    run = go_on(loop, tmp_path / "run")
    assert torch.equal(loop.weights, expected.weights)
    said = capfd.readouterr().err
    assert f"the last checkpoint of mine cannot be used: {last}: is damaged" in said
    assert "after batch 4 " in said


def test_a_second_resumption_goes_on_with_the_lineage(tmp_path: Path) -> None:
    """Its own generation has no checkpoint: the one of the generation before is taken."""
    expected = plain(Loop())
    begin(Loop(), tmp_path / "run", 9, keep_at=6)
    for _ in range(2):
        loop = Loop()
        run = tracked(loop, tmp_path / "run")
        assert run.resume(loop.model)
        assert run.batches == 6
        for batch in run.epochs(EPOCHS):
            run.step(loop.loss(batch))
            if run.batches == 11:
                break
        run.close()
    loop = Loop()
    go_on(loop, tmp_path / "run")
    assert torch.equal(loop.weights, expected.weights)
    assert {*open_run(tmp_path / "run").variants["mine"].generations} == {1, 2, 3, 4}


def test_without_a_checkpoint_training_begins_again(tmp_path: Path, capfd: Capture) -> None:
    expected, loop = plain(Loop()), Loop()
    run = tracked(loop, tmp_path / "run")
    for batch in run.epochs(EPOCHS):
        run.step(loop.loss(batch))
        if run.batches == 5:
            break
    run.close()
    loop = Loop()
    run = tracked(loop, tmp_path / "run")
    assert not run.resume(loop.model)
    for batch in run.epochs(EPOCHS):
        run.step(loop.loss(batch))
    run.close()
    assert torch.equal(loop.weights, expected.weights)
    assert capfd.readouterr().err == (
        "gdtui: there is no checkpoint of mine yet; training begins again\n"
    )
    (variant,) = open_run(tmp_path / "run").variants.values()
    assert [len(each.losses) for each in variant.generations.values()] == [5, 21]


def other_model(loop: Loop) -> dict[str, Any]:
    loop.model = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 1)).double()
    return {}


def other_data(loop: Loop) -> dict[str, Any]:
    loop.loader = DataLoader(TensorDataset(torch.zeros(9, 3), torch.zeros(9, 1)), batch_size=3)
    return {}


def other_optimizer(loop: Loop) -> dict[str, Any]:
    optimizer = torch.optim.SGD([*loop.model.parameters()][:1], lr=0.1)
    loop.optimizer = optimizer
    return {}


def more_objects(loop: Loop) -> dict[str, Any]:
    return {"scheduler": lr_scheduler.StepLR(loop.optimizer, 3)}


MISFITS = {
    other_model: "the shape (5, 3), not (4, 3)",
    other_data: "trained on 50 samples an epoch, and the loader now has 9",
    other_optimizer: "the optimiser differs",
    more_objects: "it holds no state of scheduler",
}


@pytest.mark.parametrize("change", MISFITS)
def test_a_checkpoint_that_does_not_fit_stops_the_script(
    change: Callable[[Loop], dict[str, Any]], tmp_path: Path
) -> None:
    begin(Loop(), tmp_path / "run", 8)
    before = (tmp_path / "run" / "1-mine.gdlog").read_bytes()
    loop = Loop()
    objects = change(loop)
    with pytest.raises(ResumeError) as found:
        tracked(loop, tmp_path / "run").resume(loop.model, **objects)
    assert MISFITS[change] in str(found.value)
    assert (tmp_path / "run" / "1-mine.gdlog").read_bytes() == before


def test_objects_of_the_checkpoint_must_be_given(tmp_path: Path) -> None:
    loop = Loop()
    begin(loop, tmp_path / "run", 8, scheduler=lr_scheduler.StepLR(loop.optimizer, 3))
    loop = Loop()
    with pytest.raises(ResumeError, match="holds the state of scheduler, too: add it"):
        tracked(loop, tmp_path / "run").resume(loop.model)


def test_calls_that_cannot_mean_anything_raise(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.delenv("GDTUI_RUN_DIR", raising=False)
    loop = Loop()
    with pytest.raises(ValueError, match="pass run_dir="):
        TrackedRun(
            loop.optimizer, loop.loader, accumulation=1, name="x", run_dir=None, version="0"
        ).resume(loop.model)
    run = tracked(loop, tmp_path / "run")
    run.step(loop.loss(next(iter(loop.loader))))
    with pytest.raises(ValueError, match="before the first batch"):
        run.resume(loop.model)
    with pytest.raises(ResumeError, match="still training"):
        tracked(loop, tmp_path / "run").resume(loop.model)
    run.close()


def test_a_run_of_gdtui_train_is_refused(tmp_path: Path) -> None:
    settings = RunSettings(variants=(Variant(name="SGD", settings=VariantSettings(batch_size=1)),))
    RunDirectory.create(tmp_path / "run", settings, "0").custody.release()
    loop = Loop()
    with pytest.raises(ResumeError, match="a run of gdtui train, which gdtui resume goes on with"):
        tracked(loop, tmp_path / "run").resume(loop.model)
