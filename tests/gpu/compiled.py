"""Holds captured updates to eager ones, and measures both; elsewhere than on CUDA, their stand-in.

Prints the largest differences of weights and losses, relative to the largest value, and updates/s.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from msgspec.structs import replace
from torch import Tensor, nn
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from captured_blocks import captured

from engine import Problem
from engine.settings import LrSchedule, VariantSettings
from engine.training.devices.process import take_device
from engine.training.trainer import Trainer

IS_SMALL = os.environ.get("GDTUI_GPU_CHECK") == "small"
N, EPOCHS = 100 if IS_SMALL else 1000, 6
RECIPES: Final[dict[str, dict[str, Any]]] = {
    "sgd": {"lr": 0.1},
    "momentum": {"lr": 0.05, "momentum": 0.9},
    "adamw": {"lr": 0.01, "optimizer": "adamw(weight_decay=0.1)"},
    "rmsprop": {"lr": 0.001, "optimizer": "rmsprop"},
    "accumulation": {"lr": 0.1, "accumulation_steps": 2},
    "clip": {"lr": 0.1, "clip": 0.2},
    "cosine": {"lr": 0.1, "schedule": LrSchedule.COSINE},
}
CHANGES: Final[dict[int, dict[str, Any]]] = {3: {"lr": 0.002}, 5: {"batch_size": 50}}
"""Settings by the epoch before which a key changes them."""


def problem(kind: torch.dtype, *layers: str) -> Problem:
    """A classification with an MLP, with dropout or batch norm if asked for."""
    x = torch.randn(N, 20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = torch.stack([x[:, 0] - x[:, 1], x[:, 2], x[:, 3] + x[:, 0]], dim=1).argmax(1)

    def model() -> nn.Module:
        more = {"dropout": nn.Dropout(0.3), "batch norm": nn.BatchNorm1d(64)}
        parts = (nn.Linear(20, 64), *(more[each] for each in layers), nn.Tanh(), nn.Linear(64, 3))
        return nn.Sequential(*parts).to(kind)

    return Problem(train=(x.to(kind), y), model=model, loss=functional.cross_entropy)


def trained(
    made: Problem, device: torch.device, *, in_blocks: bool, **settings: Any
) -> tuple[Tensor, Any, int]:
    """The weights at the end of a training, its losses, and how many batches blocks trained."""
    chosen = VariantSettings(**{"batch_size": 20, **settings})
    trainer = Trainer(made, chosen, 0, device, epochs=EPOCHS)
    losses, compiled = [], 0
    while trainer.epoch < EPOCHS or not trainer.at_epoch_end:
        if trainer.at_epoch_end and trainer.epoch + 1 in CHANGES:
            trainer.change(replace(trainer.settings, **CHANGES[trainer.epoch + 1]))
        if in_blocks and trainer.block is None and trainer.updates and not trainer.in_group:
            trainer.use(captured(trainer))
        most = N if trainer.updates else trainer.resolved.accumulation_steps
        chunk = trainer.advance(most)
        compiled += chunk.batches if chunk.compiled else 0
        losses.append(np.frombuffer(chunk.losses, "<f4"))
    weights = torch.cat([each.detach().double().flatten() for each in trainer.objective.parameters])
    return weights.cpu(), np.concatenate(losses), compiled


def difference(made: Problem, device: torch.device, **settings: Any) -> tuple[float, float]:
    """The largest difference of weights and of losses that blocks make, relative to the largest."""
    weights, losses, none = trained(made, device, in_blocks=False, **settings)
    mine, again, compiled = trained(made, device, in_blocks=True, **settings)
    assert none == 0, none
    assert compiled > 0.7 * len(losses), compiled
    worst = float((mine - weights).abs().max() / weights.abs().max())
    return worst, float(np.abs(again - losses).max() / np.abs(losses).max())


def speeds(made: Problem, device: torch.device, batch_size: int) -> dict[str, float]:
    """Updates per second, eager and captured."""
    trainer = Trainer(made, VariantSettings(batch_size=batch_size), 0, device, epochs=1000)
    found = {}
    for name in ("eager", "captured"):
        trainer.advance(N)
        if name == "captured":
            trainer.use(captured(trainer))
            trainer.advance(N)
        before, start = trainer.updates, time.perf_counter()
        while time.perf_counter() - start < (0.1 if IS_SMALL else 2.0):
            trainer.advance(N)
        found[name] = round((trainer.updates - before) / (time.perf_counter() - start))
    return found


def main() -> None:
    device = take_device(sys.argv[1]).device
    if IS_SMALL:
        torch.set_num_threads(1)
    recipes = {"adamw": RECIPES["adamw"]} if IS_SMALL else RECIPES
    found: dict[str, Any] = {"float64": {}, "float32": {}}
    for kind in (torch.float64, torch.float32):
        figures = found[str(kind).removeprefix("torch.")]
        for name, settings in recipes.items():
            figures[name] = difference(problem(kind), device, **settings)
        for layer in ("dropout",) if IS_SMALL else ("dropout", "batch norm"):
            made = problem(kind, layer)
            figures[layer] = difference(made, device, lr=0.05, momentum=0.9)
    for batch_size in (1, 64):
        found[f"updates_s_{batch_size}"] = speeds(problem(torch.float32), device, batch_size)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
