"""Cost of gdtui to a real model: samples/s under the screen against a plain PyTorch loop.

    python tests/benchmarks/overhead.py [--problem digits-cnn] [--batch-size 128] [--seconds 6]
    [--repeats 3]

Both validate once an epoch. gdtui also takes the loss on all training data, as often as 2% of the
time allow; a second plain loop takes it after each epoch. In turn, with as many threads each,
counted in wall time after a second of warming up.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from typing import Final

from watching import ENV, ROOT, watched

from engine.jobs.cores import fair_threads, usable_cores

PLAIN: Final = """
import sys, time
import torch
from engine.problems.registry import load

name, batch_size, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
seconds, is_both = map(float, sys.argv[4:6])
torch.set_num_threads(threads)
torch.manual_seed(0)
problem = load(name, 0)
X, y = map(torch.as_tensor, problem.train)
held_X, held_y = map(torch.as_tensor, problem.validation)
model = problem.model()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
samples, counted, start, began = 0, 0, None, time.perf_counter()
while True:
    order = torch.randperm(len(X))
    model.train()
    for i in range(0, len(X), batch_size):
        rows = order[i:i + batch_size]
        optimizer.zero_grad()
        loss = problem.loss(model(X[rows]), y[rows])
        loss.backward()
        optimizer.step()
        loss.item()
        samples += len(rows)
    model.eval()
    with torch.no_grad():
        output = model(held_X)
        problem.loss(output, held_y).item()
        [metric(output, held_y) for metric in problem.metrics.values()]
        if is_both:
            problem.loss(model(X), y).item()
    now = time.perf_counter()
    if start is None and now - began > 1.0:
        start, counted = now, samples
    elif start is not None and now - start > seconds:
        break
print((samples - counted) / (now - start))
"""


def plain(problem: str, batch_size: int, threads: int, seconds: float, *, both: bool) -> float:
    """Samples a second of the plain loop."""
    numbers = map(str, (batch_size, threads, seconds, float(both)))
    command = [sys.executable, "-c", PLAIN, problem, *numbers]
    return float(
        subprocess.run(command, capture_output=True, text=True, check=True, env=ENV).stdout
    )


def under_gdtui(problem: str, batch_size: int, threads: int, seconds: float) -> float:
    """Samples a second with the screen on, as counted in whole batches of the run's log."""
    arguments = [
        "--problem",
        problem,
        "--batch-sizes",
        str(batch_size),
        "--lr",
        "0.01",
        "--momentum",
        "0",
    ]
    arguments += [
        "--optimizer",
        "sgd",
        "--pace",
        "free",
        "--threads",
        str(threads),
        "--measuring",
        "off",
    ]
    with watched(*arguments) as app:
        app.wait_for(1)
        app.batches()
        start = time.perf_counter()
        time.sleep(seconds)
        (batches,) = app.batches().values()
        elapsed = time.perf_counter() - start
    return batches * mean_batch(problem, batch_size) / elapsed


def mean_batch(problem: str, batch_size: int) -> float:
    """Samples a batch, the short last one of an epoch among them."""
    code = f"from engine.problems import load; print(load({problem!r}, 0).n)"
    n = int(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENV).stdout
    )
    return n / -(-n // batch_size)


def report(problem: str, batch_size: int, seconds: float, repeats: int) -> None:
    threads = fair_threads(usable_cores(), 1)
    ours, theirs, both = [], [], []
    for _ in range(repeats):
        theirs.append(plain(problem, batch_size, threads, seconds, both=False))
        ours.append(under_gdtui(problem, batch_size, threads, seconds))
        both.append(plain(problem, batch_size, threads, seconds, both=True))
    load = os.getloadavg()[0]
    print(
        f"{problem}, batch {batch_size}, {threads} thread(s), load {load:.1f}, medians of {repeats}"
    )
    for what, plains, goal in (
        ("a plain loop that validates", theirs, " (goal ≥ 0.95)"),
        ("one that takes the training loss, too", both, ""),
    ):
        ratios = [mine / other for mine, other in zip(ours, plains, strict=True)]
        print(
            f"  gdtui {statistics.median(ours):,.0f} samples/s ÷ {what} "
            f"{statistics.median(plains):,.0f} = {statistics.median(ratios):.2f}{goal}; single "
            f"pairs {min(ratios):.2f}–{max(ratios):.2f}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--problem", default="digits-cnn")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    report(options.problem, options.batch_size, options.seconds, options.repeats)
