"""Stacking changes nothing: every experiment against a plain loop, seed by seed, in float64."""

from collections.abc import Callable, Iterator
from itertools import islice

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.experiments.claims import flat_generalises, linear_scaling, saddle, sharp_minimum
from engine.experiments.stacked import (
    CountedSteps,
    batches,
    descend,
    descended,
    epoch_batches,
    shuffled,
    size_of,
    weights_of,
)
from engine.problems import registry
from engine.settings import FULL, BatchSize
from engine.training.schedule import epoch_order

CPU = torch.device("cpu")
SEEDS = (3, 4)


def plain_batches(seed: int, n: int, size: int) -> Iterator[Tensor]:
    """Indices of batches as a plain loop would cut them, without end."""
    epoch = 0
    while True:
        epoch += 1
        order = torch.arange(n) if size == n else torch.from_numpy(epoch_order(seed, epoch, n))
        yield from order.split(size)


def plain_descent(
    w: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    data: Tensor,
    indices: Iterator[Tensor],
    lr: float,
) -> Tensor:
    w = w.clone().requires_grad_()
    optimizer = torch.optim.SGD([w], lr=lr)
    for batch in indices:
        optimizer.zero_grad()
        loss(w, data[batch]).backward()
        optimizer.step()
    return w.detach()


@pytest.mark.parametrize("batch_size", [FULL, 64, 1])
def test_the_saddle_is_that_of_a_plain_loop(batch_size: BatchSize) -> None:
    def loss(w: Tensor, x: Tensor) -> Tensor:
        return 0.25 * ((x - torch.outer(x @ w, w)) ** 2).sum(1).mean()

    data = [saddle.samples(seed) for seed in SEEDS]
    start = torch.stack([torch.tensor([0.6, -0.3]), torch.tensor([0.1, 0.9])]).double()
    size, updates = size_of(batch_size, saddle.SAMPLES), 50
    steps = batches((torch.stack(data),), SEEDS, size, updates)
    ends = descended(start, steps, saddle.losses, saddle.LR)
    for seed, x, first, end in zip(SEEDS, data, start, ends, strict=True):
        indices = islice(plain_batches(seed, len(x), size), updates)
        torch.testing.assert_close(
            end, plain_descent(first, loss, x, indices, saddle.LR), rtol=0, atol=1e-12
        )


def test_the_saddle_starts_where_the_full_gradient_is_zero_and_a_batchs_is_not() -> None:
    x = torch.stack([saddle.samples(seed) for seed in SEEDS])
    _, minor, major = saddle.axes(x)
    for at, is_saddle in ((minor, True), (major, True), (minor * 0.9, False)):
        w = at.clone().requires_grad_()
        (full,) = torch.autograd.grad(saddle.losses([w], x).sum(), w)
        assert (full.norm(dim=1) < 1e-14).all() == is_saddle
    (part,) = torch.autograd.grad(
        saddle.losses([w := minor.clone().requires_grad_()], x[:, :64]).sum(), w
    )
    assert (part.norm(dim=1) > 1e-3).all()


@pytest.mark.parametrize("batch_size", [FULL, 8, 1])
def test_the_wells_are_those_of_a_plain_loop(batch_size: BatchSize) -> None:
    flat_bottom = torch.tensor([sharp_minimum.DISTANCE, 0.0]).double()

    def loss(w: Tensor, a: Tensor) -> Tensor:
        sharp = 0.5 * sharp_minimum.SHARP * (w @ w)
        flat = 0.5 * sharp_minimum.FLAT * ((w - flat_bottom) @ (w - flat_bottom))
        return (torch.minimum(sharp, flat) + a @ w).mean()

    data = [sharp_minimum.tilts(seed) for seed in SEEDS]
    start = torch.stack([sharp_minimum.starts(seed, in_sharp=True) for seed in SEEDS])
    size, updates = size_of(batch_size, sharp_minimum.SAMPLES), 200
    steps = batches((torch.stack(data),), SEEDS, size, updates)
    ends = descended(start, steps, sharp_minimum.losses, sharp_minimum.LR)
    for seed, a, first, end in zip(SEEDS, data, start, ends, strict=True):
        indices = islice(plain_batches(seed, len(a), size), updates)
        plain = plain_descent(first, loss, a, indices, sharp_minimum.LR)
        torch.testing.assert_close(end, plain, rtol=0, atol=1e-12)


def test_nothing_is_rigged_about_the_wells() -> None:
    """Zero full gradient at the bottoms, starts in the basin, a stable lr: what the report says."""
    for seed in range(50):
        start = sharp_minimum.starts(seed, in_sharp=True)
        assert sharp_minimum.is_in_sharp(start)
        assert not sharp_minimum.is_in_sharp(sharp_minimum.starts(seed, in_sharp=False))
        assert sharp_minimum.tilts(seed).sum(0).abs().max() == 0
    assert sharp_minimum.LR * sharp_minimum.SHARP < 2
    sharp, flat = sharp_minimum.wells(torch.zeros(1, 2).double())
    assert sharp == 0 < flat
    sharp, flat = sharp_minimum.wells(sharp_minimum.centre(CPU)[None])
    assert flat == 0 < sharp


@pytest.mark.parametrize("batch_size", [FULL, 300])
def test_linear_scaling_is_what_a_plain_loop_trains(batch_size: BatchSize) -> None:
    lrs = torch.tensor([0.01, 0.3]).double()
    data, models = linear_scaling.load(SEEDS, CPU)
    size = size_of(batch_size, data[0].shape[1])
    stack = linear_scaling.Stack(data=data, weights=weights_of(models, CPU), seeds=SEEDS, lr=lrs)
    found = linear_scaling.curves(
        stack, (epoch_batches(data, SEEDS, epoch, size) for epoch in (1, 2))
    )
    for at, seed in enumerate(SEEDS):
        problem = registry.load("synthetic", seed)
        torch.manual_seed(seed)
        curve = plain_curve(
            problem.model(), problem.loss, problem.train, seed, size, lrs[at].item(), 2
        )
        assert found[:, at].tolist() == pytest.approx(curve, abs=1e-12)


def test_the_digits_network_is_what_a_plain_loop_trains() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.rand(2, 30, 64, generator=generator, dtype=torch.float64)
    target = torch.randint(10, (2, 30), generator=generator)
    weights = flat_generalises.first_weights(SEEDS, CPU)
    for epoch in (1, 2):
        for batch in epoch_batches((inputs, target), SEEDS, epoch, 8):
            descend(weights, flat_generalises.losses, batch, 0.2)
    found = flat_generalises.losses(weights, inputs, target)
    for at, seed in enumerate(SEEDS):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(64, flat_generalises.HIDDEN), nn.Tanh(), nn.Linear(32, 10))
        data = (inputs[at], target[at])
        curve = plain_curve(model, functional.cross_entropy, data, seed, 8, 0.2, 2)
        assert found[at].item() == pytest.approx(curve[-1], abs=1e-12)


def plain_curve(
    model: nn.Module,
    loss: Callable[[Tensor, Tensor], Tensor],
    data: tuple[Tensor, ...],
    seed: int,
    size: int,
    lr: float,
    epochs: int,
) -> list[float]:
    """Loss on all data before the first and after every epoch."""
    model = model.double()
    inputs, target = (t.double() if t.is_floating_point() else t for t in data)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    curve = [loss(model(inputs), target).item()]
    for epoch in range(1, epochs + 1):
        order = torch.from_numpy(epoch_order(seed, epoch, len(inputs)))
        for batch in order.split(size):
            optimizer.zero_grad()
            loss(model(inputs[batch]), target[batch]).backward()
            optimizer.step()
        curve.append(loss(model(inputs), target).item())
    return curve


def test_each_seed_has_its_own_order() -> None:
    data = torch.arange(10).expand(2, 10)
    (mixed,) = shuffled((data,), SEEDS, epoch=2)
    assert mixed.tolist() == [epoch_order(seed, 2, 10).tolist() for seed in SEEDS]


@pytest.mark.parametrize(("steps", "reports"), [(30, 30), (400, 200), (100_000, 1000)])
def test_long_steps_are_reported_one_by_one_and_short_ones_now_and_then(
    steps: int, reports: int
) -> None:
    told: list[float] = []
    counter = CountedSteps(lambda share, what: told.append(share), steps)
    assert list(counter.over(range(steps), "stepping")) == list(range(steps))
    assert len(told) == reports
    assert (told[0], told[1]) == (0, 1 / reports)
