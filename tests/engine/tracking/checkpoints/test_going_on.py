"""A script that was killed goes on as if nothing had happened: weights, order and rows."""

import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from killed_loops import Augmented, assert_same_rows, killed, tracked, train
from torch.utils.data import DataLoader, RandomSampler, Sampler
from tracked_loops import Loop

from engine.log.records import State
from gdtui.api.run import open_run


class Shuffled(Sampler[int]):
    """A sampler of the user's, with the generator of Python that all code shares."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __iter__(self) -> Iterator[int]:
        order = [*range(self.size)]
        random.shuffle(order)
        return iter(order)

    def __len__(self) -> int:
        return self.size


class Own(Shuffled):
    """A sampler with a generator of its own."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.generator = np.random.default_rng(5)

    def __iter__(self) -> Iterator[int]:
        return iter(self.generator.permutation(self.size).tolist())


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """A process that is forked while torch has threads would wait for them forever."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def plain_loop() -> Loop:
    return Loop()


def adamw() -> Loop:
    loop = Loop()
    loop.model = Augmented().double()  # type: ignore[assignment]
    loop.optimizer = torch.optim.AdamW(loop.model.parameters(), lr=0.01)  # type: ignore[assignment]
    return loop


def with_loader(make: Callable[[Any], dict[str, Any]]) -> Loop:
    loop = Loop()
    data = loop.loader.dataset
    loop.loader = DataLoader(data, batch_size=8, **make(data))
    return loop


KINDS: dict[str, Callable[[], Loop]] = {
    "momentum": plain_loop,
    "AdamW": adamw,
    "generator": partial(
        with_loader,
        lambda _: {"shuffle": True, "generator": torch.Generator().manual_seed(7)},
    ),
    "workers": partial(
        with_loader, lambda _: {"shuffle": True, "num_workers": 1, "prefetch_factor": 3}
    ),
    "replacement": partial(
        with_loader,
        lambda data: {
            "sampler": RandomSampler(
                data, replacement=True, generator=torch.Generator().manual_seed(7)
            ),
        },
    ),
    "shared generator": partial(with_loader, lambda data: {"sampler": Shuffled(len(data))}),
    "own generator": partial(with_loader, lambda data: {"sampler": Own(len(data))}),
}


CASES = [(kind, steps, at) for kind in KINDS for steps, at in ((1, 14), (3, 5))]
CASES.remove(("workers", 1, 14))  # the same for what it shows, and slow


@pytest.mark.parametrize(("kind", "accumulation", "keep_at"), CASES)
def test_a_killed_loop_goes_on_bit_for_bit(
    kind: str, accumulation: int, keep_at: int, tmp_path: Path
) -> None:
    """It is killed within an epoch, or at the end of one."""
    random.seed(4)
    shared = random.getstate()
    expected = KINDS[kind]()
    run = tracked(expected, tmp_path / "whole", accumulation=accumulation)
    train(expected, run)
    run.close()

    def work() -> None:
        loop = KINDS[kind]()
        random.setstate(shared)
        run = tracked(loop, tmp_path / "run", accumulation=accumulation)
        assert not run.resume(loop.model)
        train(loop, run, keep_at=keep_at, kill_at=17)

    killed(work)
    loop = KINDS[kind]()
    random.seed(9)
    torch.manual_seed(9)
    run = tracked(loop, tmp_path / "run", accumulation=accumulation)
    assert run.resume(loop.model)
    begun = run.batches
    assert begun >= keep_at
    train(loop, run)
    run.close()
    assert torch.equal(loop.weights, expected.weights)
    assert loop.losses == expected.losses[begun:]
    assert_same_rows(tmp_path / "run", tmp_path / "whole")
    found = open_run(tmp_path / "run").variants["mine"]
    assert (found.state, found.incomplete) == (State.FINISHED, "")
    assert {*found.generations} == {1, 2}
