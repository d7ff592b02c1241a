"""Recipes that change amid training, grow their batch, or stand on weighted losses and fp16."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from torch import nn
from torch.nn import functional

from engine.log.records import Chunk
from engine.problem import Problem
from engine.settings import FULL, LrScaling, LrSchedule, Precision, SettingsError, VariantSettings
from engine.training.schedule import epoch_order
from engine.training.trainer import Trainer

SEED, N = 3, 48
CPU = torch.device("cpu")
PLAIN = VariantSettings(batch_size=8, lr=0.05)


def small(dtype: torch.dtype = torch.float64, **more: Any) -> Problem:
    generator = torch.Generator().manual_seed(SEED)
    inputs = torch.randn(N, 6, generator=generator, dtype=dtype)
    target = torch.randn(N, 2, generator=generator, dtype=dtype)
    return Problem(
        train=(inputs, target), model=lambda: nn.Linear(6, 2).to(dtype),
        loss=functional.mse_loss, **more,
    )  # fmt: skip


def finish(trainer: Trainer, epochs: int, piece: int = 4) -> list[Chunk]:
    chunks = []
    while trainer.epoch < epochs or not trainer.at_epoch_end:
        chunks.append(trainer.advance(piece))
    return chunks


@pytest.mark.parametrize(
    "other",
    [
        {"schedule": LrSchedule.LINEAR},
        {"warmup": 0.5},
        {"clip": 0.1},
        {"precision": Precision.BF16},
        {"batch_warmup": 0.9},
    ],
)
def test_a_change_takes_effect_at_the_next_update_and_is_undone_by_another(
    other: dict[str, Any],
) -> None:
    """Up to it the losses are the same; there and back before any update changes nothing."""
    problem = small(torch.float32)  # which autocast turns into bf16
    plain, changed, undone = (Trainer(problem, PLAIN, SEED, CPU, epochs=2) for _ in range(3))
    for trainer in (plain, changed, undone):
        trainer.advance(3)
    changed.change(replace(PLAIN, **other))
    undone.change(replace(PLAIN, **other))
    undone.change(PLAIN)
    losses = [
        b"".join(chunk.losses for chunk in finish(trainer, 2))
        for trainer in (plain, changed, undone)
    ]
    assert losses[0] == losses[2]
    assert losses[0] != losses[1]


def test_no_change_stands_inside_an_update() -> None:
    trainer = Trainer(small(), replace(PLAIN, accumulation_steps=3), SEED, CPU, epochs=2)
    trainer.advance(1)
    with pytest.raises(RuntimeError, match="between groups"):
        trainer.change(replace(PLAIN, clip=1.0))


def test_more_epochs_stretch_the_schedule_from_there_on() -> None:
    settings = replace(PLAIN, schedule=LrSchedule.LINEAR)
    trainer = Trainer(small(), settings, SEED, CPU, epochs=1)
    first = finish(trainer, 1, piece=6)[0].lrs
    assert first == pytest.approx([0.05 * (1 - k / 6) for k in range(6)])
    trainer.plan(2)
    second = finish(trainer, 2, piece=6)[0].lrs
    assert second == pytest.approx([0.05 * (1 - k / 12) for k in range(6, 12)])


@pytest.mark.parametrize("size", [16, FULL])
@pytest.mark.parametrize("piece", [1, 5, 100])
def test_the_batch_grows_by_doubling_and_the_lr_with_it(size: Any, piece: int) -> None:
    settings = VariantSettings(
        batch_size=size, lr=0.1, base_batch=16, lr_scaling=LrScaling.LINEAR, batch_warmup=0.5
    )
    trainer = Trainer(small(), settings, SEED, CPU, epochs=4)
    chunks = finish(trainer, 4, piece)
    most = 16 if size == 16 else N
    for chunk in chunks:
        samples, warmup = chunk.samples, 2 * N
        divisor = next((d for d in (8, 4, 2) if samples < 2 * warmup / d), 1)
        assert chunk.batch_size == most // divisor
        assert chunk.lr == pytest.approx(0.1 * most / divisor / 16)
    assert {chunk.batch_size for chunk in chunks} == {most // d for d in (8, 4, 2, 1)}
    for before, after in pairwise(chunks):
        assert after.samples == before.end_samples
        assert after.update == before.last_update + 1
    assert trainer.samples == 4 * N


def test_settings_tell_what_is_in_force_amid_a_batch_warm_up() -> None:
    settings = VariantSettings(batch_size=64, batch_warmup=800, accumulation_steps=2)
    found = [settings.resolve_at(at, 2000, 20_000) for at in (0, 199, 200, 400, 800)]
    assert [(r.batch_size, r.effective_batch, end) for r, end in found] == [
        (8, 16, 200), (8, 16, 200), (16, 32, 400), (32, 64, 800), (64, 128, float("inf")),
    ]  # fmt: skip


# --- fp16 -------------------------------------------------------------------------------------


def scaled_loop(problem: Problem, epochs: int, clip: float) -> tuple[nn.Module, list[float], int]:
    """torch's own recipe for mixed precision, in full batches of two halves."""
    torch.manual_seed(SEED)
    model = problem.model()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    scaler = torch.amp.GradScaler("cpu")
    inputs, target = problem.train  # type: ignore[misc]
    losses, skipped = [], 0
    for epoch in range(1, epochs + 1):
        optimizer.zero_grad()
        for rows in torch.from_numpy(epoch_order(SEED, epoch, N)).split(N // 2):
            with torch.autocast("cpu", torch.float16):
                loss = problem.loss(model(inputs[rows]), target[rows])
            losses.append(loss.item())
            scaler.scale(loss * 0.5).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), clip)
        before = scaler.get_scale()
        scaler.step(optimizer)
        scaler.update()
        skipped += scaler.get_scale() < before
    return model, losses, skipped


def test_fp16_trains_as_torchs_recipe_and_counts_what_it_skips() -> None:
    """The loss is so large that the first scales overflow."""

    def large(output: Any, target: Any) -> Any:
        return 300 * functional.mse_loss(output, target)

    problem = small(torch.float32)
    problem = Problem(train=problem.train, model=problem.model, loss=large)
    settings = VariantSettings(
        batch_size=FULL, accumulation_steps=2, lr=0.05, clip=0.3, precision=Precision.FP16
    )
    trainer = Trainer(problem, settings, SEED, CPU)
    chunks = finish(trainer, 12, piece=1)
    model, losses, skipped = scaled_loop(problem, 12, 0.3)
    ours = [loss for chunk in chunks for loss in np.frombuffer(chunk.losses, "<f4").tolist()]
    assert ours == losses
    assert sum(chunk.skipped for chunk in chunks) == skipped > 0
    assert sum(chunk.clipped for chunk in chunks) == 12 - skipped
    pairs = zip(trainer.model.parameters(), model.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


# --- Weighted losses --------------------------------------------------------------------------


def tokens() -> Problem:
    """Cross-entropy over valid targets alone: some samples have none."""
    generator = torch.Generator().manual_seed(SEED)
    inputs = torch.randn(N, 6, generator=generator, dtype=torch.float64)
    target = torch.randint(3, (N,), generator=generator)
    target[::5] = -100
    target[:9] = -100
    return Problem(
        train=(inputs, target), model=lambda: nn.Linear(6, 3).double(),
        loss=nn.CrossEntropyLoss(),
    )  # fmt: skip


@pytest.mark.parametrize("cut", [{"accumulation_steps": 8}, {"micro_batch": 5}])
@pytest.mark.parametrize(
    ("recipe", "tolerance"),
    [
        ({"clip": 0.05, "schedule": LrSchedule.COSINE, "warmup": 0.3}, 1e-12),
        ({"clip": 0.05, "optimizer": "adamw(weight_decay=0.1)", "schedule": LrSchedule.WSD}, 1e-12),
        ({"clip": 0.05, "schedule": LrSchedule.LINEAR, "precision": Precision.FP16}, 2e-4),
    ],
)
def test_pieces_of_a_weighted_loss_are_the_big_batch_under_a_recipe(
    cut: dict[str, int], recipe: dict[str, Any], tolerance: float
) -> None:
    """Gradients are divided by all of the weight before they are clipped."""
    micro_batch = cut.get("micro_batch")
    steps = cut.get("accumulation_steps", 1)
    settings = VariantSettings(batch_size=N // 2, lr=0.05, **recipe)
    pieces = replace(settings, batch_size=N // 2 // steps, accumulation_steps=steps)
    whole = Trainer(tokens(), settings, SEED, CPU, epochs=3)
    parts = Trainer(tokens(), pieces, SEED, CPU, epochs=3, micro_batch=micro_batch)
    clipped = [sum(c.clipped for c in finish(trainer, 3)) for trainer in (whole, parts)]
    assert clipped == [6, 6]
    pairs = zip(whole.model.parameters(), parts.model.parameters(), strict=True)
    assert max((a - b).abs().max().item() for a, b in pairs) <= tolerance


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("adamw(weight_decoy=0.1)", "unknown argument 'weight_decoy'; choose from betas"),
        ("sgd(momentum=-1)", "momentum"),
        ("adam(betas=0.9)", "adam"),
        ("own(x=1)", "defines none"),
        ("adagrad(momentum=0.9)", "unknown argument"),
    ],
)
def test_arguments_that_torch_does_not_take_are_refused(text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        Trainer(small(), VariantSettings(optimizer=text), SEED, CPU)


def test_the_problems_optimizer_takes_arguments_by_name() -> None:
    def make(params: Any, lr: float, weight_decay: float = 0.0) -> torch.optim.Optimizer:
        return torch.optim.SGD(params, lr=lr, weight_decay=weight_decay)

    settings = VariantSettings(batch_size=8, optimizer="own(weight_decay=0.5)")
    trainer = Trainer(small(optimizer=make), settings, SEED, CPU)
    assert trainer.recipe.optimizer.param_groups[0]["weight_decay"] == 0.5
    with pytest.raises(SettingsError, match="choose from weight_decay"):
        trainer.change(VariantSettings(batch_size=8, optimizer="own(decay=0.5)"))
