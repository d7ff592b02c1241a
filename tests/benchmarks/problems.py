"""Held-out accuracy of the built-in problems: the best variant's, the median over seeds.

Each is trained by its own defaults, as `gdtui train --problem NAME` does; char-lm is compared with
a bigram model of the same text. python tests/benchmarks/problems.py [--seeds 5] [NAME ...]
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import torch

ROOT: Final = Path(__file__).resolve().parents[2]
EXPECTED: Final = {"breast-cancer": 0.95, "digits": 0.95, "digits-cnn": 0.97}
"""Held-out accuracy that the best variant has to reach within 30 epochs."""
NAMES: Final = (*EXPECTED, "char-lm")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names", nargs="*", default=NAMES, metavar="NAME", help=f"of {', '.join(NAMES)}"
    )
    parser.add_argument("--seeds", type=int, default=5, metavar="N")
    typed = parser.parse_args()
    for name in typed.names:
        _report(name, typed.seeds)


def _report(name: str, seeds: int) -> None:
    started = time.perf_counter()
    runs = [_train(name, seed) for seed in range(seeds)]
    seconds = (time.perf_counter() - started) / seeds
    variants = [variant["name"] for variant in runs[0]]
    print(f"{name}: {seeds} seeds, {runs[0][0]['epochs']} epochs, {seconds:.0f} s a run")
    for place, variant in enumerate(variants):
        held_out = [run[place]["validation"] for run in runs]
        figures = "  ".join(
            f"{key} {_spread([each[key] for each in held_out])}" for key in held_out[0]
        )
        print(f"  {variant:<16} {figures}")
    if name in EXPECTED:
        best = max(_medians(runs, "accuracy"))
        print(f"  best variant: median accuracy {best:.4f}, expected ≥ {EXPECTED[name]}")
    else:
        best = min(_medians(runs, "loss"))
        print(f"  best variant: median loss {best:.4f}, expected < {_bigram_loss():.4f} (bigram)")
    sys.stdout.flush()


def _train(name: str, seed: int) -> list[dict[str, Any]]:
    """The variants that the command reports."""
    with tempfile.TemporaryDirectory() as path:
        command = [
            sys.executable,
            "-m",
            "gdtui",
            "train",
            "--json",
            "--problem",
            name,
            "--seed",
            str(seed),
        ]
        done = subprocess.run(
            [*command, "--run-dir", f"{path}/run"], cwd=ROOT, stdout=subprocess.PIPE, check=True
        )
    variants: list[dict[str, Any]] = json.loads(done.stdout)["variants"]
    return variants


def _medians(runs: list[list[dict[str, Any]]], figure: str) -> list[float]:
    """One a variant, over the seeds: the best is chosen once, not seed by seed."""
    return [
        statistics.median(each["validation"][figure] for each in variant)
        for variant in zip(*runs, strict=True)
    ]


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.4f} ({min(values):.4f}–{max(values):.4f})"


def _bigram_loss() -> float:
    """Cross-entropy of held-out text under the training pairs, each counted plus one, in nats."""
    from engine.problems.builtin import char_lm

    problem = char_lm.make(0)
    inputs, target = (part.flatten() for part in problem.train)
    held_out, following = (part.flatten() for part in problem.validation)
    characters = problem.model().head.out_features
    counts = torch.ones(characters, characters, dtype=torch.float64)
    counts.index_put_((inputs, target), torch.ones(1, dtype=torch.float64), accumulate=True)
    likelihood = (counts / counts.sum(1, keepdim=True))[held_out, following]
    return -float(likelihood.log().mean())


if __name__ == "__main__":
    main()
