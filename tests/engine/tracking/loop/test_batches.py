"""The batches of a loop are those of its loader, also while their size changes."""

from collections import Counter
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, TensorDataset, WeightedRandomSampler

from engine.tracking.loop.batches import LoaderBatches
from engine.tracking.loop.loaders import samples_in

DATA = TensorDataset(torch.arange(37))


def loaders() -> dict[str, dict[str, Any]]:
    weights = [float(1 + k % 3) for k in range(37)]
    return {
        "in order": {},
        "shuffled": {"shuffle": True},
        "own generator": {"shuffle": True, "generator": torch.Generator().manual_seed(3)},
        "drop last": {"shuffle": True, "drop_last": True},
        "sampler": {"sampler": WeightedRandomSampler(weights, 20)},
        "collate": {
            "shuffle": True,
            "collate_fn": lambda parts: torch.stack([p[0] for p in parts]),
        },
    }


def indices(batch: Any) -> list[int]:
    tensor = batch if isinstance(batch, Tensor) else batch[0]
    return [int(each) for each in tensor]


@pytest.mark.parametrize("kind", loaders())
def test_an_undisturbed_epoch_draws_the_same_batches_and_random_numbers(kind: str) -> None:
    torch.manual_seed(7)
    loader = DataLoader(DATA, batch_size=5, **loaders()[kind])
    plain = [indices(batch) for _ in range(2) for batch in loader]
    then = torch.rand(1)
    torch.manual_seed(7)
    batches = LoaderBatches(DataLoader(DATA, batch_size=5, **loaders()[kind]))
    assert not batches.fixed
    read = [(indices(batch), samples) for _ in range(2) for batch, samples in batches.epoch()]
    assert [batch for batch, _ in read] == plain
    assert [samples for _, samples in read] == [*map(len, plain)]
    assert torch.rand(1) == then


@settings(max_examples=60)
@given(
    changes=st.lists(st.tuples(st.integers(0, 12), st.integers(1, 40)), max_size=4),
    first=st.integers(1, 12),
    steps=st.integers(1, 3),
)
def test_no_sample_is_lost_or_repeated(
    changes: list[tuple[int, int]], first: int, steps: int
) -> None:
    """Whatever sizes are chosen after whichever batches, each epoch has each sample once."""
    batches = LoaderBatches(DataLoader(DATA, batch_size=first, shuffle=True))
    wanted = dict(changes)
    for _ in range(2):
        found: Counter[int] = Counter()
        for count, (batch, samples) in enumerate(batches.epoch()):
            assert samples == len(indices(batch))
            found.update(indices(batch))
            if count in wanted:
                assert batches.resize(wanted[count], steps) == 0  # in force with the next batch
        assert found == Counter(range(37))
        assert batches.is_last


@pytest.mark.parametrize("steps", [1, 3])
def test_with_loader_workers_the_size_follows_what_was_read_ahead(steps: int) -> None:
    batches = LoaderBatches(DataLoader(DATA, batch_size=2, num_workers=1, prefetch_factor=2))
    sizes, ahead, found = [], 0, []
    for batch, samples in batches.epoch():
        sizes.append(samples)
        found += indices(batch)
        if len(sizes) == steps:
            assert batches.ahead == 2
            ahead = batches.resize(5, steps)
    assert ahead == -(-2 // steps) * steps  # whole groups
    assert sizes[: steps + ahead] == [2] * (steps + ahead)
    assert {*sizes[steps + ahead : -1]} == {5}
    assert sorted(found) == [*range(37)]


class Stream(IterableDataset[int]):
    def __iter__(self) -> Any:
        return iter(range(7))


class Own(DataLoader[Any]):
    pass


@pytest.mark.parametrize(
    ("loader", "reason"),
    [
        (DataLoader(Stream(), batch_size=2), "IterableDataset"),
        (DataLoader(DATA, batch_size=None), "batch sampler"),
        (DataLoader(DATA, batch_sampler=[[0, 1], [2]]), "batch sampler"),
        (Own(DATA, batch_size=2), "Own"),
        ([torch.zeros(3)], "list"),
    ],
)
def test_other_loaders_are_read_as_they_are(loader: Any, reason: str) -> None:
    batches = LoaderBatches(loader)
    assert reason in batches.fixed
    expected = [samples_in(batch) for batch in loader]
    assert [samples for _, samples in batches.epoch()] == expected


@pytest.mark.parametrize(
    ("batch", "samples"),
    [
        (torch.zeros(3, 2), 3),
        ([torch.zeros(4), torch.zeros(4)], 4),
        ({"x": "words", "y": torch.zeros(2)}, 2),
        ((1.0, [torch.zeros(5)]), 5),
        (torch.tensor(1.0), 0),
        ("words", 0),
    ],
)
def test_samples_of_a_batch(batch: Any, samples: int) -> None:
    assert samples_in(batch) == samples
