"""The trainer against plain PyTorch loops, written here, in float64: same weights to 1e-10."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.log.records import Chunk
from engine.problem import Problem
from engine.problems import registry
from engine.settings import FULL, LrScaling, SettingsError, VariantSettings
from engine.training.schedule import epoch_order
from engine.training.trainer import Trainer

SEED = 3
CPU = torch.device("cpu")


def bce(output: Tensor, target: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(output.squeeze(-1), target)


def logistic(n: int) -> Problem:
    """The lesson's problem in float64, with any number of samples."""
    generator = torch.Generator().manual_seed(SEED)
    inputs = torch.randn(n, 10, generator=generator, dtype=torch.float64)
    target = (inputs @ torch.randn(10, generator=generator, dtype=torch.float64) > 0).double()
    return Problem(train=(inputs, target), model=lambda: nn.Linear(10, 1).double(), loss=bce)


def train(problem: Problem, settings: VariantSettings, epochs: int, piece: int = 7) -> Trainer:
    """Ours, in calls of `piece` batches."""
    trainer = Trainer(problem, settings, SEED, CPU)
    while trainer.epoch < epochs or not trainer.at_epoch_end:
        trainer.advance(piece)
    return trainer


def plain_loop(
    problem: Problem,
    batch_size: int,
    lr: float,
    epochs: int,
    *,
    momentum: float = 0.0,
    drop_last: bool = False,
    make: Callable[..., torch.optim.Optimizer] = torch.optim.SGD,
) -> nn.Module:
    """The lesson's `train_variant`, its faults mended, from the common start in common order."""
    torch.manual_seed(SEED)
    model = problem.model()
    optimizer = make(model.parameters(), lr=lr, **({"momentum": momentum} if momentum else {}))
    inputs, target = problem.train
    for epoch in range(1, epochs + 1):
        order = torch.from_numpy(epoch_order(SEED, epoch, len(inputs)))
        shuffled, labels = inputs[order], target[order]
        for i in range(0, len(inputs), batch_size):
            if drop_last and i + batch_size > len(inputs):
                break
            optimizer.zero_grad()
            problem.loss(model(shuffled[i : i + batch_size]), labels[i : i + batch_size]).backward()
            optimizer.step()
    return model


def assert_same_weights(ours: nn.Module, plain: nn.Module) -> None:
    for a, b in zip(ours.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(a, b, rtol=0, atol=1e-10), (a - b).abs().max()


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("batch_size", [FULL, 64, 1])
def test_the_three_variants(batch_size: int | str, momentum: float) -> None:
    problem = logistic(300)
    settings = VariantSettings(batch_size=batch_size, momentum=momentum)  # type: ignore[arg-type]
    size = 300 if batch_size == FULL else int(batch_size)
    plain = plain_loop(problem, size, 0.01, 5, momentum=momentum)
    assert_same_weights(train(problem, settings, 5).model, plain)


@pytest.mark.parametrize("n", [2000, 1500, 1025, 511])
def test_accumulating_8_times_64_is_one_batch_of_512(n: int) -> None:
    """2,000 leaves a group of 464, 1,025 a group of one sample, 511 one short group only."""
    problem = logistic(n)
    settings = VariantSettings(batch_size=64, accumulation_steps=8, momentum=0.9)
    plain = plain_loop(problem, min(512, n), 0.01, 4, momentum=0.9)
    assert_same_weights(train(problem, settings, 4).model, plain)


@pytest.mark.parametrize("n", [300, 301])
def test_full_in_5_pieces_is_full(n: int) -> None:
    problem = logistic(n)
    settings = VariantSettings(batch_size=FULL, accumulation_steps=5)
    trainer = train(problem, settings, 4)
    assert (trainer.updates, trainer.batches) == (4, 20)
    assert_same_weights(trainer.model, plain_loop(problem, n, 0.01, 4))


def with_memory_for(samples: int, problem: Problem) -> Problem:
    """The same problem on a device that has no room for more of them at once."""

    def loss(output: Tensor, target: Tensor) -> Tensor:
        if len(target) > samples:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return problem.loss(output, target)

    return replace(problem, loss=loss)


@pytest.mark.parametrize(
    ("batch_size", "most", "given"), [(97, 60, 49), (97, 20, 13), (64, 20, 16)]
)
def test_what_memory_does_not_suffice_for_is_trained_in_parts_all_the_same(
    batch_size: int, most: int, given: int
) -> None:
    """97 is a prime, and leaves a last batch of 9 of 300 samples."""
    problem, settings = logistic(300), VariantSettings(batch_size=batch_size, momentum=0.9)
    trainer = Trainer(with_memory_for(most, problem), settings, SEED, CPU)
    while trainer.epoch < 4 or not trainer.at_epoch_end:
        try:
            trainer.advance(7)
        except torch.OutOfMemoryError as error:
            trainer.retreat(error)
    assert min(trainer.micro_batch, trainer.resolved.batch_size) == given
    assert_same_weights(trainer.model, plain_loop(problem, batch_size, 0.01, 4, momentum=0.9))


def test_memory_that_runs_out_in_a_batch_warmup_does_not_change_what_it_grows_to() -> None:
    """Batches of 8, 16, 32 and 64: at 16 there is no room, so that pieces of 8 are computed."""
    problem, settings = logistic(256), VariantSettings(batch_size=64, batch_warmup=512)
    cut = Trainer(with_memory_for(10, problem), settings, SEED, CPU)
    whole = Trainer(problem, settings, SEED, CPU)
    notes, sizes = [], []
    while cut.epoch < 3 or not cut.at_epoch_end:
        try:
            sizes.append(cut.advance(1).batch_size)
        except torch.OutOfMemoryError as error:
            notes.append(cut.retreat(error))
    while whole.epoch < 3 or not whole.at_epoch_end:
        whole.advance(7)
    assert notes == [
        "out of memory with 16 samples at once: computing the same batches in pieces of 8"
    ]
    assert (sorted(set(sizes)), cut.settings) == ([8, 16, 32, 64], settings)
    torch.testing.assert_close(cut.model.state_dict(), whole.model.state_dict())


def test_drop_last() -> None:
    problem = logistic(200)
    trainer = train(problem, VariantSettings(batch_size=64, drop_last=True), 4)
    assert (trainer.batches, trainer.samples) == (12, 4 * 192)
    assert_same_weights(trainer.model, plain_loop(problem, 64, 0.01, 4, drop_last=True))


def test_a_last_batch_of_one_sample() -> None:
    problem = logistic(129)
    assert_same_weights(
        train(problem, VariantSettings(batch_size=64), 3).model, plain_loop(problem, 64, 0.01, 3)
    )


def test_a_scaled_lr_is_the_one_in_force() -> None:
    problem = logistic(256)
    settings = VariantSettings(batch_size=16, accumulation_steps=2, lr_scaling=LrScaling.LINEAR)
    assert_same_weights(train(problem, settings, 3).model, plain_loop(problem, 32, 0.005, 3))


def test_a_convolution_with_adam() -> None:
    """Cross-entropy on images, an optimiser with state, batches that do not divide the data."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(50, 1, 6, 6, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 3, (50,), generator=generator)
    problem = Problem(
        train=(images, labels),
        model=lambda: nn.Sequential(
            nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3)
        ).double(),
        loss=functional.cross_entropy,
    )
    settings = VariantSettings(batch_size=4, accumulation_steps=2, optimizer="Adam")
    plain = plain_loop(problem, 8, 0.01, 3, make=torch.optim.Adam)
    assert_same_weights(train(problem, settings, 3).model, plain)


def test_the_losses_are_those_of_each_batch_before_its_update() -> None:
    problem = logistic(100)
    trainer = Trainer(problem, VariantSettings(batch_size=40), SEED, CPU)
    chunk = trainer.advance(99)
    model = nn.Linear(10, 1).double()
    torch.manual_seed(SEED)
    model = problem.model()
    order = torch.from_numpy(epoch_order(SEED, 1, 100))
    first = bce(model(problem.train[0][order[:40]]), problem.train[1][order[:40]])
    losses = np.frombuffer(chunk.losses, "<f4")
    assert len(losses) == 3
    assert losses[0] == pytest.approx(first.item(), rel=1e-6)
    assert (chunk.batch_size, chunk.last_batch_size) == (40, 20)


@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_how_many_batches_a_call_takes_changes_nothing(piece: int) -> None:
    problem = registry.load("synthetic", 0)
    settings = VariantSettings(batch_size=48, accumulation_steps=3)
    losses = []
    for size in (piece, 11):
        trainer = Trainer(problem, settings, 0, CPU)
        parts = []
        while trainer.epoch < 2 or not trainer.at_epoch_end:
            parts.append(trainer.advance(size))
        losses.append(b"".join(part.losses for part in parts))
        assert_contiguous(parts)
    assert losses[0] == losses[1]


def assert_contiguous(parts: list[Chunk]) -> None:
    """Each chunk begins where the one before it ended."""
    batches = samples = 0
    for part in parts:
        assert (part.batch, part.samples) == (batches + 1, samples)
        count = len(part.losses) // 4
        batches += count
        samples += (count - 1) * part.batch_size + part.last_batch_size


def test_the_full_loss_is_the_mean_over_all_samples() -> None:
    problem = logistic(9001)  # more than one piece
    trainer = Trainer(problem, VariantSettings(), SEED, CPU)
    trainer.advance(50)
    with torch.no_grad():
        expected = bce(trainer.model(problem.train[0]), problem.train[1]).item()
    assert trainer.full_loss() == pytest.approx(expected, rel=1e-12)


def test_measuring_disturbs_nothing() -> None:
    """Dropout draws random numbers while training; in eval mode it must not."""
    base = logistic(64)
    problem = Problem(
        train=base.train,
        model=lambda: nn.Sequential(nn.Linear(10, 8), nn.Dropout(0.5), nn.Linear(8, 1)).double(),
        loss=bce,
    )
    trainer = Trainer(problem, VariantSettings(batch_size=8), SEED, CPU)
    losses = []
    for _ in range(4):
        losses.append(trainer.advance(2).losses)
        assert trainer.full_loss() == trainer.full_loss()
    again = Trainer(problem, VariantSettings(batch_size=8), SEED, CPU)
    assert b"".join(losses) == again.advance(8).losses


# --- Changes ------------------------------------------------------------------------------------


def test_a_change_goes_on_with_the_next_sample_of_the_same_order() -> None:
    problem = logistic(200)
    trainer = Trainer(problem, VariantSettings(batch_size=50), SEED, CPU)
    trainer.advance(2)
    assert trainer.change(VariantSettings(batch_size=30, lr=0.1)) == ""
    rest = trainer.advance(99)
    assert (rest.batch, rest.samples, rest.last_batch_size, rest.lr) == (3, 100, 10, 0.1)

    torch.manual_seed(SEED)
    plain = problem.model()
    optimizer = torch.optim.SGD(plain.parameters(), lr=0.01)
    order = torch.from_numpy(epoch_order(SEED, 1, 200))
    for start, stop, lr in [
        (0, 50, 0.01),
        (50, 100, 0.01),
        (100, 130, 0.1),
        (130, 160, 0.1),
        (160, 190, 0.1),
        (190, 200, 0.1),
    ]:
        optimizer.param_groups[0]["lr"] = lr
        optimizer.zero_grad()
        part = order[start:stop]
        bce(plain(problem.train[0][part]), problem.train[1][part]).backward()
        optimizer.step()
    assert_same_weights(trainer.model, plain)


def test_a_change_to_full_in_mid_epoch_takes_the_rest_as_one_update() -> None:
    trainer = Trainer(logistic(200), VariantSettings(batch_size=30), SEED, CPU)
    trainer.advance(1)
    trainer.change(VariantSettings(batch_size=FULL))
    assert trainer.advance(99).last_batch_size == 170
    assert (trainer.updates, trainer.samples) == (2, 200)
    assert trainer.at_epoch_end


def test_a_new_lr_keeps_the_momentum_and_a_new_momentum_clears_it() -> None:
    trainer = Trainer(logistic(200), VariantSettings(batch_size=10, momentum=0.9), SEED, CPU)
    trainer.advance(3)
    assert trainer.change(VariantSettings(batch_size=10, momentum=0.9, lr=0.5)) == ""
    assert trainer.recipe.optimizer.state
    assert trainer.change(VariantSettings(batch_size=10, momentum=0.5)) == "optimiser state cleared"
    assert not trainer.recipe.optimizer.state


def test_a_change_that_cannot_be_changes_nothing() -> None:
    trainer = Trainer(logistic(20), VariantSettings(batch_size=5), SEED, CPU)
    trainer.advance(1)
    before = (trainer.settings, trainer.resolved, trainer.recipe.optimizer)
    for wrong in (
        VariantSettings(optimizer="nosuch"),
        VariantSettings(batch_size=50, drop_last=True),
        VariantSettings(optimizer="adam", momentum=0.9),
    ):
        with pytest.raises(SettingsError):
            trainer.change(wrong)
    assert (trainer.settings, trainer.resolved, trainer.recipe.optimizer) == before


def test_settings_do_not_change_inside_a_group() -> None:
    trainer = Trainer(logistic(20), VariantSettings(batch_size=5, accumulation_steps=2), SEED, CPU)
    trainer.advance(1)
    assert trainer.in_group
    with pytest.raises(RuntimeError, match="between groups"):
        trainer.change(VariantSettings())


# --- Trouble ------------------------------------------------------------------------------------


def test_a_chunk_ends_at_the_first_loss_that_is_not_finite() -> None:
    problem = registry.load("synthetic", 0)
    trainer = Trainer(problem, VariantSettings(batch_size=1, lr=1e38), 0, CPU)
    chunk = trainer.advance(500)
    losses = np.frombuffer(chunk.losses, "<f4")
    assert not trainer.last_loss_is_finite
    assert not math.isfinite(losses[-1])
    assert np.isfinite(losses[:-1]).all()
    assert (trainer.batches, trainer.samples, trainer.updates) == (len(losses),) * 3
    assert not trainer.has_finite_weights()


@pytest.mark.parametrize("name", ["optimizer", "nosuch", "lr_scheduler"])
def test_optimisers_that_are_none(name: str) -> None:
    with pytest.raises(SettingsError, match=r"choose from .*adam.*sgd"):
        Trainer(logistic(10), VariantSettings(optimizer=name), SEED, CPU)


# --- The lesson's claim -------------------------------------------------------------------------


def gaps(rule: LrScaling, epochs: int) -> list[float]:
    """The gap between the losses of full batches, 64 and 1 after each epoch, from one start."""
    problem = registry.load("synthetic", 1)
    losses: list[list[float]] = []
    for size in (FULL, 64, 1):
        settings = VariantSettings(batch_size=size, lr_scaling=rule)  # type: ignore[arg-type]
        trainer = Trainer(problem, settings, 1, CPU)
        losses.append([])
        for epoch in range(1, epochs + 1):
            while trainer.epoch < epoch or not trainer.at_epoch_end:
                trainer.advance(2000)
            losses[-1].append(trainer.full_loss())
    return [max(ends) - min(ends) for ends in zip(*losses, strict=True)]


def test_linear_scaling_folds_the_three_curves() -> None:
    """The gap stays small, and is largest after 7 epochs; without scaling it is wide at once."""
    folded = gaps(LrScaling.LINEAR, 8)
    assert max(folded) <= 0.01
    assert folded[-1] < max(folded)
    assert min(gaps(LrScaling.NONE, 2)) >= 0.4
