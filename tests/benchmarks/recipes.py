"""CPU time of an update under recipes, as ratios to the plain one, within one run.

    python tests/benchmarks/recipes.py [--batches 2000] [--repeats 7]

In turn, the fastest of the repeats counts. The plain path has neither schedule nor clipping: it
calls the optimiser's own step.
"""

import argparse
import time
from typing import Any, Final

import msgspec
import torch

from engine.problems import registry
from engine.settings import VariantSettings
from engine.training.trainer import Trainer

RECIPES: Final[dict[str, dict[str, Any]]] = {
    "plain": {},
    "schedule": {"schedule": "cosine", "warmup": 0.1},
    "clip": {"clip": 1.0},
    "bf16": {"precision": "bf16"},
    "all": {"schedule": "cosine", "clip": 1.0, "precision": "bf16"},
}


def seconds(trainer: Trainer, batches: int) -> float:
    start = time.process_time()
    done = 0
    while done < batches:
        done += trainer.advance(min(500, batches - done)).batches
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--batches", type=int, default=2_000)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(1)
    problem = registry.load("synthetic", 0)
    trainers = {}
    for name, recipe in RECIPES.items():
        settings = msgspec.convert({"batch_size": 1, **recipe}, VariantSettings)
        trainers[name] = Trainer(problem, settings, 0, torch.device("cpu"), epochs=1_000)
    best = dict.fromkeys(RECIPES, float("inf"))
    for _ in range(options.repeats):
        for name, trainer in trainers.items():
            best[name] = min(best[name], seconds(trainer, options.batches))
    for name, found in best.items():
        per_batch = 1e6 * found / options.batches
        print(f"{name:<10}{per_batch:8.1f} µs a batch   × {found / best['plain']:.2f}")


if __name__ == "__main__":
    main()
