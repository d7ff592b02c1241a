"""Recipes against plain PyTorch loops, written here, in float64: same weights and losses to 1e-10.

The loops take the lr from torch's own schedulers and round nothing; the logged lr is theirs.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.optim.lr_scheduler import LambdaLR

from engine.log.records import Chunk
from engine.problem import Problem
from engine.settings import LrSchedule, Precision, VariantSettings
from engine.training.schedule import epoch_order
from engine.training.trainer import Trainer
from gdtui.history.chunk_losses import lrs_of

SEED, N, EPOCHS = 3, 40, 3
CPU = torch.device("cpu")
TOTAL = N * EPOCHS
Make = Callable[..., torch.optim.Optimizer]


def small(dtype: torch.dtype = torch.float64, **more: Any) -> Problem:
    generator = torch.Generator().manual_seed(SEED)
    inputs = torch.randn(N, 6, generator=generator, dtype=dtype)
    target = torch.randn(N, 2, generator=generator, dtype=dtype)

    def model() -> nn.Module:
        return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2)).to(dtype)

    return Problem(train=(inputs, target), model=model, loss=functional.mse_loss, **more)


def trained(problem: Problem, settings: VariantSettings, piece: int = 3) -> tuple[Any, list[Chunk]]:
    """The trainer at the end, in calls of `piece` batches, and its chunks."""
    trainer = Trainer(problem, settings, SEED, CPU, epochs=EPOCHS)
    chunks = []
    while trainer.epoch < EPOCHS or not trainer.at_epoch_end:
        chunks.append(trainer.advance(piece))
    return trainer, chunks


def looped(
    problem: Problem,
    batch: int,
    steps: int,
    make: Make,
    *,
    factor: Callable[[float], float] = lambda _: 1.0,
    clip: float | None = None,
    autocast: torch.dtype | None = None,
) -> tuple[nn.Module, list[float], list[float], int]:
    """A plain loop: the model, its losses, the lr of each batch, and the updates clipped."""
    torch.manual_seed(SEED)
    model = problem.model()
    optimizer = make(model)
    scheduler = LambdaLR(optimizer, lambda update: factor(update * batch * steps))
    inputs, target = problem.train  # type: ignore[misc]
    losses, lrs, clipped = [], [], 0
    for epoch in range(1, EPOCHS + 1):
        order = torch.from_numpy(epoch_order(SEED, epoch, N))
        for group in order.split(batch * steps):
            optimizer.zero_grad()
            for rows in group.split(batch):
                with torch.autocast("cpu", autocast, enabled=autocast is not None):
                    loss = functional.mse_loss(model(inputs[rows]), target[rows])
                share = len(rows) / len(group)
                (loss if share == 1 else loss * share).backward()
                losses.append(loss.item())
                lrs.append(optimizer.param_groups[0]["lr"])
            if clip is not None:
                clipped += int(nn.utils.clip_grad_norm_(model.parameters(), clip) > clip)
            optimizer.step()
            scheduler.step()
    return model, losses, lrs, clipped


def differences(ours: nn.Module, plain: nn.Module) -> float:
    pairs = zip(ours.parameters(), plain.parameters(), strict=True)
    return max(float((a - b).abs().max()) for a, b in pairs)


def losses_of(chunks: list[Chunk]) -> list[float]:
    return [loss for chunk in chunks for loss in np.frombuffer(chunk.losses, "<f4").tolist()]


def lr_of_batches(chunks: list[Chunk]) -> list[float]:
    return [lr for chunk in chunks for lr in lrs_of(chunk).tolist()]


def warmed(kind: str, warmup: float) -> Callable[[float], float]:
    """The factor as Hugging Face's get_…_schedule_with_warmup have it, with steps in samples."""

    def factor(seen: float) -> float:
        if seen < warmup:
            return seen / warmup
        progress = (seen - warmup) / (TOTAL - warmup)
        stable = max(0.8 * TOTAL, warmup)
        return {
            "constant": 1.0,
            "cosine": 0.5 * (1 + math.cos(math.pi * progress)),
            "linear": 1 - progress,
            "wsd": min(1.0, 1 - (seen - stable) / (TOTAL - stable)),
        }[kind]

    return factor


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("kind", ["constant", "cosine", "linear", "wsd"])
@pytest.mark.parametrize(("warmup", "samples"), [(0.1, 12.0), (24.0, 24.0), (0.0, 0.0)])
def test_a_schedule_gives_the_lr_of_torchs_scheduler_update_by_update(
    kind: str, warmup: float, samples: float, steps: int
) -> None:
    problem = small()
    settings = VariantSettings(
        batch_size=4, accumulation_steps=steps, lr=0.1, schedule=LrSchedule(kind), warmup=warmup
    )
    trainer, chunks = trained(problem, settings)
    model, losses, lrs, _ = looped(
        problem,
        4,
        steps,
        lambda model: torch.optim.SGD(model.parameters(), 0.1),
        factor=warmed(kind, samples),
    )
    assert differences(trainer.model, model) < 1e-10
    assert losses_of(chunks) == pytest.approx(losses, rel=1e-6)
    assert lr_of_batches(chunks) == pytest.approx(lrs, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "momentum", "make"),
    [
        ("sgd(nesterov=True)", 0.9,
         lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True)),
        ("SGD(momentum=0.9, nesterov=True, weight_decay=1e-2)", 0.0,
         lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-2)),
        ("adamw(weight_decay=0.1, betas=(0.9, 0.95))", 0.0,
         lambda p: torch.optim.AdamW(p, lr=0.05, weight_decay=0.1, betas=(0.9, 0.95))),
        ("adam(foreach=False, eps=1e-6)", 0.0,
         lambda p: torch.optim.Adam(p, lr=0.05, foreach=False, eps=1e-6)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("clip", [None, 0.5])
def test_arguments_and_clipping_train_as_torch_does(
    text: str, momentum: float, make: Make, clip: float | None
) -> None:
    problem = small()
    settings = VariantSettings(
        batch_size=8, accumulation_steps=2, lr=0.05, optimizer=text, momentum=momentum, clip=clip
    )
    trainer, chunks = trained(problem, settings)
    model, losses, _, clipped = looped(
        problem, 8, 2, lambda model: make(model.parameters()), clip=clip
    )
    assert differences(trainer.model, model) < 1e-10
    assert losses_of(chunks) == pytest.approx(losses, rel=1e-6)
    assert sum(chunk.clipped for chunk in chunks) == clipped
    assert (clip is None) == (clipped == 0)


def decayed(model: nn.Module) -> list[dict[str, Any]]:
    """The usual groups: matrices decay, vectors do not."""
    named = list(model.named_parameters())
    return [
        {"params": [p for _, p in named if p.dim() > 1], "weight_decay": 0.5},
        {"params": [p for _, p in named if p.dim() < 2], "weight_decay": 0.0, "lr": 0.01},
    ]


def of_model(model: nn.Module, lr: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(decayed(model), lr=lr)


def of_names(named_parameters: Any, lr: float) -> torch.optim.Optimizer:
    named = list(named_parameters)
    assert [name for name, _ in named] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    matrices = [p for name, p in named if name.endswith("weight")]
    vectors = [p for name, p in named if name.endswith("bias")]
    return torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.5},
         {"params": vectors, "weight_decay": 0.0, "lr": 0.01}], lr=lr,
    )  # fmt: skip


@pytest.mark.parametrize("optimizer", [of_model, of_names])
def test_a_problem_makes_groups_of_weights_and_a_schedule_moves_them_all(optimizer: Any) -> None:
    problem = small(optimizer=optimizer)
    settings = VariantSettings(
        batch_size=8, lr=0.05, optimizer="own", schedule=LrSchedule.COSINE, warmup=0.2
    )
    trainer, chunks = trained(problem, settings)
    model, _, lrs, _ = looped(
        problem,
        8,
        1,
        lambda model: torch.optim.AdamW(decayed(model), lr=0.05),
        factor=warmed("cosine", 0.2 * TOTAL),
    )
    assert differences(trainer.model, model) < 1e-10
    assert lr_of_batches(chunks) == pytest.approx(lrs, rel=1e-12)


def test_bf16_is_bitwise_that_of_autocast() -> None:
    problem = small(torch.float32)
    settings = VariantSettings(batch_size=8, accumulation_steps=2, lr=0.1, precision=Precision.BF16)
    trainer, chunks = trained(problem, settings)
    make: Make = lambda model: torch.optim.SGD(model.parameters(), 0.1)  # noqa: E731
    model, losses, _, _ = looped(problem, 8, 2, make, autocast=torch.bfloat16)
    assert differences(trainer.model, model) == 0
    assert losses_of(chunks) == losses
    full = looped(problem, 8, 2, make)[0]
    assert differences(full, model) > 0
