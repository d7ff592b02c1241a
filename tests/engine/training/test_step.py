"""One update: the gradients that add up to it, and where it can be left."""

import pytest
import torch
from devices import ON_DEVICES
from torch import Tensor, nn
from torch.nn import functional

from engine.problem import Problem
from engine.settings import VariantSettings
from engine.training.data.sources import LaidOutTensors
from engine.training.model import Objective
from engine.training.schedule import NO_LIMIT, cut
from engine.training.step import train

N = 30
INPUTS = torch.randn(N, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
TARGET = INPUTS.sum(1, keepdim=True).sin()


class Watched(torch.optim.SGD):
    """Plain gradient descent that keeps the gradient of each step."""

    def __init__(self, objective: Objective) -> None:
        super().__init__(objective.parameters, lr=0.1)
        self.gradients: list[Tensor] = []

    def step(self) -> None:  # type: ignore[override]
        (group,) = self.param_groups
        self.gradients.append(torch.cat([p.grad.reshape(-1) for p in group["params"]]))
        super().step()


def objective(device: torch.device) -> Objective:
    torch.manual_seed(1)
    problem = Problem(
        train=(INPUTS, TARGET), model=lambda: nn.Linear(3, 1).double(), loss=functional.mse_loss
    )
    return Objective(problem, device)


def samples(device: torch.device) -> LaidOutTensors:
    return LaidOutTensors((INPUTS.to(device), TARGET.to(device)))


def gradient_of_the_mean(start: int, stop: int, device: torch.device) -> Tensor:
    """The gradient of the loss over these samples at the first weights."""
    fresh = objective(device)
    fresh.loss(samples(device).take(start, stop)).backward()  # type: ignore[no-untyped-call]
    return torch.cat([p.grad.reshape(-1) for p in fresh.parameters if p.grad is not None])


@ON_DEVICES
@pytest.mark.parametrize("micro_batch", [NO_LIMIT, 4, 3, 1])
@pytest.mark.parametrize(("batch_size", "steps"), [(30, 1), (7, 5), (8, 3), (5, 6)])
def test_an_update_is_that_of_the_mean_over_its_samples(
    batch_size: int, steps: int, micro_batch: int, device: torch.device
) -> None:
    """It is, for any batches and micro-batches, also where some are shorter."""
    mine, settings = (
        objective(device),
        VariantSettings(batch_size=batch_size, accumulation_steps=steps),
    )
    optimizer = Watched(mine)
    schedule = cut(0, N, settings.resolve(N), micro_batch)
    first = next(batch.group_samples for batch in cut(0, N, settings.resolve(N)))
    batches = list(train(schedule, samples(device), mine, optimizer.step, mine.weighed_loss))
    assert torch.allclose(
        optimizer.gradients[0], gradient_of_the_mean(0, first, device), rtol=0, atol=1e-12
    )
    assert all(parameter.grad is None for parameter in mine.parameters)
    assert [batch.size for batch, *_ in batches] == [b.size for b in cut(0, N, settings.resolve(N))]


@ON_DEVICES
@pytest.mark.parametrize("micro_batch", [NO_LIMIT, 4])
def test_a_batchs_loss_is_the_mean_at_the_weights_before_its_update(
    micro_batch: int, device: torch.device
) -> None:
    mine = objective(device)
    schedule = cut(
        0, N, VariantSettings(batch_size=10, accumulation_steps=3).resolve(N), micro_batch
    )
    losses = [
        loss.item()
        for _, loss, _ in train(
            schedule, samples(device), mine, Watched(mine).step, mine.weighed_loss
        )
    ]
    first = objective(device)
    expected = [first.loss(samples(device).take(k, k + 10)).item() for k in (0, 10, 20)]
    assert losses == pytest.approx(expected, rel=1e-12)


@ON_DEVICES
def test_it_can_be_left_between_the_batches_of_an_update(device: torch.device) -> None:
    mine = objective(device)
    before = [parameter.detach().clone() for parameter in mine.parameters]
    schedule = cut(0, N, VariantSettings(batch_size=10, accumulation_steps=3).resolve(N))
    training = train(
        schedule,
        samples(device),
        mine,
        (optimizer := Watched(mine)).step,
        mine.weighed_loss,
    )
    next(training)
    next(training)
    assert optimizer.gradients == []
    assert all(torch.equal(a, b) for a, b in zip(before, mine.parameters, strict=True))
    next(training)
    assert len(optimizer.gradients) == 1, "with the last batch's loss, the step is done"
    assert not any(torch.equal(a, b) for a, b in zip(before, mine.parameters, strict=True))
