"""Gaps between full batch, 64 and 1 under each lr-scaling rule: the central claim, by seed.

Prints the largest minus the smallest loss on all data after 20 epochs. `--seeds N`, 5 by default.
"""

import argparse

import torch

from engine.problems import registry
from engine.settings import FULL, BatchSize, LrScaling, VariantSettings
from engine.training.trainer import Trainer

EPOCHS = 20
SIZES: tuple[BatchSize, ...] = (FULL, 64, 1)


def full_loss(seed: int, size: BatchSize, rule: LrScaling) -> float:
    settings = VariantSettings(batch_size=size, lr_scaling=rule)
    trainer = Trainer(registry.load("synthetic", seed), settings, seed, torch.device("cpu"))
    while trainer.epoch < EPOCHS or not trainer.at_epoch_end:
        trainer.advance(1000)
    return trainer.full_loss()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    torch.set_num_threads(1)
    for rule in LrScaling:
        gaps = []
        for seed in range(seeds):
            ends = [full_loss(seed, size, rule) for size in SIZES]
            gaps.append(max(ends) - min(ends))
        print(f"{rule:6}  gap {min(gaps):.4f} … {max(gaps):.4f} over {seeds} seeds")


if __name__ == "__main__":
    main()
