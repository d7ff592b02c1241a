"""An update is that of one big batch, whatever its loss is averaged over, however it is cut."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from weighted_losses import (
    CLASS_WEIGHTS,
    PROBLEMS,
    N,
    Tokens,
    batch_of,
    gpt2,
    loss_of,
    masked_mean,
    over_valid,
    plain_loop,
    tokens,
)

from engine.problem import Problem
from engine.settings import FULL, VariantSettings
from engine.training.trainer import Trainer

CPU = torch.device("cpu")
SEED, EPOCHS = 3, 2
BIG = 64
NAMES = [
    pytest.param(name, marks=pytest.mark.integration) if name == "gpt2" else name
    for name in PROBLEMS
]


def problem_of(name: str) -> Problem:
    if name == "gpt2":
        pytest.importorskip("transformers")
    return PROBLEMS[name]()


def trained(trainer: Trainer) -> nn.Module:
    while trainer.epoch < EPOCHS or not trainer.at_epoch_end:
        try:
            trainer.advance(5)
        except torch.OutOfMemoryError as error:
            trainer.retreat(error)
    return trainer.model


def accumulated(problem: Problem, **more: Any) -> nn.Module:
    settings = VariantSettings(batch_size=8, accumulation_steps=8, **more)
    return trained(Trainer(problem, settings, SEED, CPU))


def in_pieces(problem: Problem, **more: Any) -> nn.Module:
    settings = VariantSettings(batch_size=BIG, **more)
    return trained(Trainer(problem, settings, SEED, CPU, micro_batch=10))


class Small(nn.Module):
    """A device that is too small for more than so many samples in training."""

    def __init__(self, model: nn.Module, most: int) -> None:
        super().__init__()
        self.model = model
        self.most = most

    def forward(self, *inputs: Tensor, **named: Tensor) -> Any:
        first = next(iter((*inputs, *named.values())))
        if self.training and len(first) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.model(*inputs, **named)


class SmallLabelled(Small):
    def forward(self, input_ids: Tensor, labels: Tensor) -> Any:
        return super().forward(input_ids=input_ids, labels=labels)


def after_steps_back(problem: Problem, **more: Any) -> nn.Module:
    kind = Small if isinstance(problem.train, tuple) else SmallLabelled
    small = replace(problem, model=lambda: kind(problem.model(), 20))
    settings = VariantSettings(batch_size=BIG, **more)
    trainer = Trainer(small, settings, SEED, CPU)
    model = trained(trainer)
    assert trainer.settings.batch_size == 16
    return model.model


CUTS = {
    "accumulated": accumulated,
    "in pieces": in_pieces,
    "after steps back": after_steps_back,
}
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {"lr": 0.1},
    "momentum": {"lr": 0.05, "momentum": 0.9},
    "adamw": {"lr": 0.01, "optimizer": "adamw"},
}


@cache
def reference(name: str, optimizer: str) -> nn.Module:
    """The model that big batches alone train."""
    return plain(PROBLEMS[name](), settings_for(name, optimizer))


def settings_for(name: str, optimizer: str) -> dict[str, Any]:
    """The settings of that optimiser, its steps as short for sums as for means."""
    chosen = OPTIMIZERS[optimizer]
    return {**chosen, "lr": chosen["lr"] / BIG} if name.startswith("sum") else chosen


def plain(problem: Problem, settings: dict[str, Any], batch: int = BIG) -> nn.Module:
    """Train in plain PyTorch."""
    options = dict(settings)
    kind = torch.optim.AdamW if options.pop("optimizer", "sgd") == "adamw" else torch.optim.SGD
    return plain_loop(problem, batch, EPOCHS, SEED, lambda p: kind(p, **options))


def assert_same_weights(model: nn.Module, expected: nn.Module) -> None:
    for mine, theirs in zip(model.parameters(), expected.parameters(), strict=True):
        assert torch.allclose(mine, theirs, rtol=0, atol=1e-10)


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("name", NAMES)
def test_the_weights_are_those_of_big_batches(name: str, cut: str) -> None:
    """The last batches of an epoch are short, and so is their group.

    By plain SGD: its steps show a gradient of another length, which Adam's hardly do.
    """
    check_weights(name, cut, "sgd")


@pytest.mark.parametrize("optimizer", [name for name in OPTIMIZERS if name != "sgd"])
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("name", ["class weights", "sum"])
def test_optimizers_with_a_state_take_the_same_steps(name: str, cut: str, optimizer: str) -> None:
    """How a loss is averaged ends in the gradient, which all optimisers are given alike."""
    check_weights(name, cut, optimizer)


def check_weights(name: str, cut: str, optimizer: str) -> None:
    problem = problem_of(name)
    model = CUTS[cut](problem, **settings_for(name, optimizer))
    assert_same_weights(model, reference(name, optimizer))


@pytest.mark.integration
def test_a_language_model_as_it_comes() -> None:
    """Its loss is computed in float32, so that no two ways to cut a batch agree in float64."""
    pytest.importorskip("transformers")
    problem = gpt2(loss=None)
    expected = plain(problem, OPTIMIZERS["sgd"])
    for cut in CUTS.values():
        model = cut(problem, **OPTIMIZERS["sgd"])
        for mine, theirs in zip(model.parameters(), expected.parameters(), strict=True):
            assert torch.allclose(mine, theirs, rtol=0, atol=1e-8)


@pytest.mark.parametrize("micro_batch", [None, 32])
@pytest.mark.parametrize("name", NAMES)
def test_full_batches_in_pieces_are_full_batches(name: str, micro_batch: int | None) -> None:
    problem = problem_of(name)
    settings = VariantSettings(batch_size=FULL, accumulation_steps=4, lr=0.01)
    model = trained(Trainer(problem, settings, SEED, CPU, micro_batch=micro_batch))
    assert_same_weights(model, plain(problem, {"lr": 0.01}, batch=N))


@pytest.mark.parametrize("micro_batch", [None, 10])
@pytest.mark.parametrize("name", NAMES)
def test_the_logged_losses_are_those_of_whole_batches(name: str, micro_batch: int | None) -> None:
    problem = problem_of(name)
    settings = VariantSettings(batch_size=30, accumulation_steps=2)
    trainer = Trainer(problem, settings, SEED, CPU, micro_batch=micro_batch)
    order = torch.from_numpy(np.random.default_rng([0x6F72646572, SEED, 1]).permutation(N))
    with torch.no_grad():
        expected = [
            loss_of(problem, trainer.model, batch_of(problem, rows)).item()
            for rows in order.split(30)[:2]
        ]
    losses = np.frombuffer(trainer.advance(2).losses, "<f4")
    assert losses.tolist() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_losses_on_all_data_do_not_depend_on_the_pieces(name: str) -> None:
    problem = problem_of(name)
    trainers = [
        Trainer(problem, VariantSettings(batch_size=8), SEED, CPU, micro_batch=size)
        for size in (None, 7)
    ]
    with torch.no_grad():
        whole = batch_of(problem, range(N))
        expected = loss_of(problem, trainers[0].model.eval(), whole).item()
        trainers[0].model.train()
    for trainer in trainers:
        assert trainer.full_loss() == pytest.approx(expected, rel=1e-12)
    losses = [trainer.validate().loss for trainer in trainers]
    assert losses == pytest.approx([losses[0]] * 2, rel=1e-12)


def test_the_step_before_was_wrong() -> None:
    """Weighted by samples these problems do train otherwise: the cases above tell them apart."""
    for name in ("ignored targets", "class weights", "a weight of one's own"):
        problem = PROBLEMS[name]()
        expected = plain(problem, OPTIMIZERS["sgd"])
        model = accumulated(replace(problem, weight="samples"), lr=0.1)
        gaps = [
            (a - b).abs().max()
            for a, b in zip(model.parameters(), expected.parameters(), strict=True)
        ]
        assert not max(gaps) < 1e-6, name


# --- Batches without weight ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "problem",
    [
        tokens(nn.CrossEntropyLoss()),
        tokens(nn.CrossEntropyLoss(weight=CLASS_WEIGHTS, label_smoothing=0.1)),
        tokens(masked_mean, weight=over_valid),
    ],
    ids=["ignored", "smoothed", "masked"],
)
@pytest.mark.parametrize("steps", [1, 3])
def test_samples_whose_targets_are_all_ignored_change_nothing(problem: Problem, steps: int) -> None:
    """Batches of one: the mean of no targets is 0 ÷ 0, and so is its derivative."""
    settings = VariantSettings(batch_size=1, accumulation_steps=steps, lr=0.1)
    trainer = Trainer(problem, settings, SEED, CPU)
    chunk = trainer.advance(N)
    order = np.random.default_rng([0x6F72646572, SEED, 1]).permutation(N)
    empty = [place for place, row in enumerate(order) if row % 7 == 0]
    losses = np.frombuffer(chunk.losses, "<f4")
    assert trainer.last_loss_is_finite
    assert np.isfinite(losses).all()
    assert chunk.weightless == tuple(empty)
    assert (losses[empty] == 0).all()

    torch.manual_seed(SEED)
    other = Tokens().double()
    optimizer = torch.optim.SGD(other.parameters(), lr=0.1)
    for rows in torch.from_numpy(order).split(steps):
        kept = rows[rows % 7 != 0]
        optimizer.zero_grad()
        if len(kept):
            loss_of(problem, other, batch_of(problem, kept)).backward()
            optimizer.step()
    assert_same_weights(trainer.model, other)


def test_an_update_without_weight_lets_momentum_go_on() -> None:
    """Its gradient is 0, and its velocity fades as in any other update."""
    problem = tokens(nn.CrossEntropyLoss())
    trainer = Trainer(problem, VariantSettings(batch_size=1, momentum=0.9), SEED, CPU)
    parameters = trainer.objective.parameters
    trainer.advance(1)
    while True:
        weights = [parameter.detach().clone() for parameter in parameters]
        speeds = [
            trainer.recipe.optimizer.state[each]["momentum_buffer"].clone() for each in parameters
        ]
        if trainer.advance(1).weightless:
            break
    for before, speed, now in zip(weights, speeds, parameters, strict=True):
        assert torch.allclose(now, before - 0.01 * 0.9 * speed, rtol=0, atol=1e-14)


def test_a_loss_that_is_not_finite_still_diverges() -> None:
    problem = tokens(nn.CrossEntropyLoss())
    trainer = Trainer(problem, VariantSettings(batch_size=8, lr=1e300), SEED, CPU)
    trainer.advance(N)
    assert not trainer.last_loss_is_finite


def test_data_of_which_nothing_has_weight_have_no_loss() -> None:
    inputs, target = tokens(nn.CrossEntropyLoss()).train
    problem = Problem(
        train=(inputs, torch.full_like(target, -100)),
        model=lambda: Tokens().double(),
        loss=nn.CrossEntropyLoss(),
    )
    trainer = Trainer(problem, VariantSettings(), SEED, CPU)
    trainer.advance(N)
    assert trainer.has_finite_weights()
    assert np.isnan(trainer.full_loss())
