"""The problem's own schedulers: any of torch's, stepped after each update, the lr in the chunk."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.optim import lr_scheduler

from engine.problem import Problem, ProblemError
from engine.settings import LrScaling, LrSchedule, SettingsError, VariantSettings
from engine.training.schedule import epoch_order
from engine.training.trainer import Trainer
from gdtui.history.chunk_losses import lrs_of

SEED, N, EPOCHS, BATCH = 3, 40, 3, 8
UPDATES = EPOCHS * N // BATCH
CPU = torch.device("cpu")
OWN = VariantSettings(batch_size=BATCH, lr=0.1, schedule=LrSchedule.OWN)


def small(**more: Any) -> Problem:
    generator = torch.Generator().manual_seed(SEED)
    inputs = torch.randn(N, 6, generator=generator, dtype=torch.float64)
    target = torch.randn(N, 2, generator=generator, dtype=torch.float64)
    return Problem(
        train=(inputs, target), model=lambda: nn.Linear(6, 2).double(), loss=functional.mse_loss,
        **more,
    )  # fmt: skip


def sequence(optimizer: Any, updates: int) -> Any:
    return lr_scheduler.SequentialLR(
        optimizer,
        [
            lr_scheduler.LinearLR(optimizer, 0.1, total_iters=4),
            lr_scheduler.CosineAnnealingLR(optimizer, updates - 4),
        ],
        milestones=[4],
    )


SCHEDULERS: dict[str, Callable[..., Any]] = {
    "step": lambda optimizer: lr_scheduler.StepLR(optimizer, 4, gamma=0.3),
    "partial": partial(lr_scheduler.ExponentialLR, gamma=0.9),
    "one cycle": lambda optimizer, updates: lr_scheduler.OneCycleLR(
        optimizer, 0.3, total_steps=updates
    ),
    "class": lr_scheduler.CosineAnnealingLR,
    "sequence": sequence,
    "lambda": lambda optimizer, updates: lr_scheduler.LambdaLR(
        optimizer, lambda update: 1 - update / updates
    ),
}


def advance(trainer: Trainer, batches: int) -> list[float]:
    return [lr for _ in range(batches) for lr in lrs_of(trainer.advance(1)).tolist()]


def looped(make: Callable[[Any], Any], updates: int = UPDATES) -> tuple[nn.Module, list[float]]:
    problem = small()
    torch.manual_seed(SEED)
    model = problem.model()
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    scheduler = make(optimizer)
    inputs, target = problem.train  # type: ignore[misc]
    lrs: list[float] = []
    for epoch in range(1, EPOCHS + 1):
        for rows in torch.from_numpy(epoch_order(SEED, epoch, N)).split(BATCH):
            if len(lrs) == updates:
                return model, lrs
            optimizer.zero_grad()
            functional.mse_loss(model(inputs[rows]), target[rows]).backward()
            lrs.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
    return model, lrs


def same(ours: nn.Module, plain: nn.Module) -> bool:
    pairs = zip(ours.parameters(), plain.parameters(), strict=True)
    return all(torch.allclose(a, b, rtol=0, atol=1e-10) for a, b in pairs)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_any_scheduler_trains_as_in_a_plain_loop(name: str) -> None:
    make = SCHEDULERS[name]
    settings = VariantSettings(
        batch_size=BATCH, lr=0.1, schedule=LrSchedule.OWN, optimizer="sgd(momentum=0.9)"
    )
    trainer = Trainer(small(scheduler=make), settings, SEED, CPU, epochs=EPOCHS)
    has_updates = name in ("one cycle", "class", "sequence", "lambda")
    model, lrs = looped(lambda optimizer: make(optimizer, *[UPDATES] * has_updates))
    assert advance(trainer, UPDATES) == pytest.approx(lrs, rel=1e-12)
    assert same(trainer.model, model)


def test_a_scheduler_scales_with_the_lr_and_goes_on_where_it_was() -> None:
    make = SCHEDULERS["partial"]
    trainer = Trainer(small(scheduler=make), OWN, SEED, CPU, epochs=EPOCHS)
    plain = Trainer(small(scheduler=make), OWN, SEED, CPU, epochs=EPOCHS)
    expected = advance(plain, 12)
    assert advance(trainer, 4) == expected[:4]
    trainer.change(VariantSettings(batch_size=BATCH, lr=0.2, schedule=LrSchedule.OWN))
    assert advance(trainer, 4) == pytest.approx([2 * lr for lr in expected[4:8]])
    trainer.change(VariantSettings(
        batch_size=BATCH, lr=0.1, schedule=LrSchedule.OWN, optimizer="adam(amsgrad=True)"
    ))  # fmt: skip
    assert advance(trainer, 4) == pytest.approx(expected[8:])
    trainer.change(VariantSettings(batch_size=BATCH, lr=0.1))
    assert advance(trainer, 1) == [0.1]
    trainer.change(OWN)
    assert advance(trainer, 1) == pytest.approx([0.1 * 0.9**13])


def test_a_scheduler_at_its_end_stays_there_when_epochs_are_added() -> None:
    trainer = Trainer(small(scheduler=SCHEDULERS["one cycle"]), OWN, SEED, CPU, epochs=EPOCHS)
    lrs = advance(trainer, UPDATES + 5)
    assert len(set(lrs[-4:])) == 1


def test_a_rule_scales_the_lr_of_a_scheduler() -> None:
    settings = VariantSettings(
        batch_size=BATCH, lr=0.1, base_batch=4, lr_scaling=LrScaling.LINEAR, schedule=LrSchedule.OWN
    )
    trainer = Trainer(small(scheduler=SCHEDULERS["partial"]), settings, SEED, CPU)
    assert advance(trainer, 2) == pytest.approx([0.2, 0.18])


def scheduled_inside(parameters: Any, lr: float) -> torch.optim.Optimizer:
    optimizer = torch.optim.SGD(parameters, lr=lr)
    lr_scheduler.LambdaLR(optimizer, lambda _: 0.5)
    return optimizer


def both(parameters: Any, lr: float) -> Any:
    optimizer = torch.optim.SGD(parameters, lr=lr)
    return optimizer, lr_scheduler.StepLR(optimizer, 3)


@pytest.mark.parametrize("optimizer", [scheduled_inside, both])
def test_one_made_inside_the_optimizer_is_told_of(optimizer: Any) -> None:
    settings = VariantSettings(batch_size=BATCH, optimizer="own")
    with pytest.raises(SettingsError, match=r"Problem\(scheduler="):
        Trainer(small(optimizer=optimizer), settings, SEED, CPU)


class Decaying(torch.optim.SGD):
    """Steps a scheduler of its own."""

    def step(self, closure: Any = None) -> Any:
        result = super().step(closure)
        for group in self.param_groups:
            group["lr"] *= 0.5
        return result


def test_an_optimizer_that_changes_its_lr_is_followed() -> None:
    problem = small(optimizer=lambda parameters, lr: Decaying(parameters, lr=lr))
    settings = VariantSettings(batch_size=BATCH, lr=0.1, optimizer="own")
    trainer = Trainer(problem, settings, SEED, CPU)
    assert advance(trainer, 4) == pytest.approx([0.1, 0.05, 0.025, 0.0125])


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (lambda: small(), "defines none"),
        (lambda: small(scheduler=lambda _: 3), "not int"),
        (lambda: small(scheduler=lr_scheduler.ReduceLROnPlateau), "ReduceLROnPlateau"),
    ],
)
def test_what_is_no_scheduler_is_refused(problem: Callable[[], Problem], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        Trainer(problem(), OWN, SEED, CPU)


def test_a_refused_schedule_changes_nothing() -> None:
    trainer = Trainer(small(), VariantSettings(batch_size=BATCH, lr=0.1), SEED, CPU)
    with pytest.raises(SettingsError):
        trainer.change(OWN)
    assert advance(trainer, 1) == [0.1]


def test_a_scheduler_is_a_function() -> None:
    with pytest.raises(ProblemError, match="planned updates"):
        small(scheduler=3)
