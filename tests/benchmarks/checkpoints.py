"""Cost of checkpoints: the share of the training time that they take with the default policy.

    python tests/benchmarks/checkpoints.py [--parameters 1000000 100000000] [--rounds 7] [--dir .]
    python tests/benchmarks/checkpoints.py --disk 10000

Trains the same number of batches in turn with and without a checkpoint at their beginning; which
comes first alternates, so that a machine that warms up favours neither. The median difference is
the cost of one checkpoint. Its share is that cost ÷ the time between two checkpoints:
`--checkpoint-every`, or longer if the budget of 1% asks for it. What the budget does not see (the
disk, caches, a core that training would have used) would make the share larger than 1%. Run it on a
quiet machine, with `--dir` on a disk: /tmp may be memory. Goals: 1% at 1M parameters, 3% at 100M.

With --disk, a training takes so many checkpoints, and the bytes in its directory are counted
whenever a file there has grown or gone: they must stay within `--checkpoint-disk`.
"""

import argparse
import os
import statistics
import tempfile
import threading
import time
from pathlib import Path

import torch
from torch import nn

from engine.checkpoint.store import CheckpointStore
from engine.log.format import CHECKPOINTS
from engine.problem import Problem
from engine.settings import RunSettings, Variant, VariantSettings
from engine.training.trainer import Trainer
from engine.worker.checkpoints.keeper import SHARE, Keeper
from engine.worker.protocol import WorkerTask

_LAYERS = 4
_SAMPLES = 1024
_LEAST_SECONDS = 1.0


class Bench:
    """A trainer of a model with about so many parameters, and the keeper of its checkpoints."""

    def __init__(self, folder: Path, parameters: int, optimizer: str, disk: int = 1 << 40) -> None:
        width = round((parameters / _LAYERS) ** 0.5)
        inputs = torch.randn(_SAMPLES, width)
        settings = VariantSettings(batch_size=16, optimizer=optimizer, lr=1e-4)
        variant = Variant(name="a", settings=settings)
        self.run = RunSettings(variants=(variant,), checkpoint_disk=disk)
        log = folder / "a.gdlog"
        task = WorkerTask(
            run=self.run, variant=variant, device="cpu", log=str(log), output="",
            threads=torch.get_num_threads(), epochs=10**6, pace=None,
        )  # fmt: skip
        problem = Problem(
            train=(inputs, inputs),
            model=lambda: nn.Sequential(*(nn.Linear(width, width) for _ in range(_LAYERS))),
            loss=nn.MSELoss(),
        )
        self.trainer = Trainer(problem, settings, 0, torch.device("cpu"), epochs=10**6)
        self.keeper = Keeper(task, print, lambda: None)
        self.store = CheckpointStore(log)

    def advance(self, batches: int) -> float:
        """Seconds to train so many batches."""
        start = time.perf_counter()
        while batches > 0:
            batches -= self.trainer.advance(batches).batches
        return time.perf_counter() - start

    def keep(self) -> float:
        """Seconds that training waits for a checkpoint; its file is written meanwhile."""
        start = time.perf_counter()
        self.keeper.keep(self.trainer)
        return time.perf_counter() - start


def cost(folder: Path, parameters: int, optimizer: str, rounds: int) -> None:
    """Print the cost of checkpoints of a model."""
    bench = Bench(folder, parameters, optimizer)
    bench.advance(2)
    per_batch = bench.advance(4) / 4
    start = time.perf_counter()
    bench.keep()
    bench.keeper.wait()
    alone = time.perf_counter() - start
    batches = max(4, round(max(_LEAST_SECONDS, 2 * alone) / per_batch))
    waits, charged, extra, late = [], [], [], 0
    for number in range(rounds):
        times = {}
        for keeps in (True, False) if number % 2 else (False, True):
            bench.advance(1)  # there is no second checkpoint of the same weights
            waited = bench.keep() if keeps else 0.0
            times[keeps] = waited + bench.advance(batches)
            if keeps:
                late += any(each.name == "checkpoint" for each in threading.enumerate())
                bench.keeper.wait()
                waits.append(waited)
                charged.append(bench.keeper.cost)
        extra.append(times[True] - times[False])
        bench.store.thin(0)
    median = statistics.median(extra)
    interval = max(bench.run.checkpoint_every, statistics.median(charged) / SHARE)
    size = bench.store.stored()[-1].bytes
    print(
        f"{parameters:,} parameters, {optimizer}, {size / 1e6:,.1f} MB a checkpoint, load "
        f"{os.getloadavg()[0]:.1f}: {median / interval:.2%} of the time ({median:.3f} s every "
        f"{interval:.0f} s)\n  training waits {statistics.median(waits):.3f} s, the budget is "
        f"charged {statistics.median(charged):.3f} s; written in {alone:.2f} s alone; "
        f"{late} of {rounds} took longer than the batches beside them",
        flush=True,
    )


def disk(folder: Path, count: int, limit: int) -> None:
    """Print the most bytes that were in the directory while so many checkpoints were taken."""
    bench = Bench(folder, 4 * 64**2, "adam", limit)
    most, done = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.is_set():
            most = max(most, used(folder / CHECKPOINTS))
            time.sleep(0.001)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(count):
        bench.advance(1)
        bench.keep()
    bench.keeper.wait()
    done.set()
    watcher.join()
    stored = bench.store.stored()
    newest = stored[-1].batches == bench.trainer.batches
    print(
        f"{count:,} checkpoints of {stored[-1].bytes:,} bytes: at most {most:,} of {limit:,} bytes "
        f"at any moment ({most / limit:.0%}), {len(stored)} kept, the newest {newest}"
    )
    assert most <= limit
    assert newest


def used(folder: Path) -> int:
    """Bytes of all files there, drafts too."""
    found = 0
    try:
        for entry in os.scandir(folder):
            found += entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:  # renamed or removed meanwhile
        return 0
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parameters", type=int, nargs="+", default=[10**6, 10**8])
    parser.add_argument("--optimizer", nargs="+", default=["sgd", "adamw"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--dir", type=Path, default=Path())
    parser.add_argument("--disk", type=int, metavar="COUNT")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.dir) as name:
        if chosen.disk:
            disk(Path(name), chosen.disk, limit=1 << 20)
            return
        for parameters in chosen.parameters:
            for optimizer in chosen.optimizer:
                folder = Path(name) / f"{parameters}-{optimizer}"
                folder.mkdir()
                cost(folder, parameters, optimizer, chosen.rounds)


if __name__ == "__main__":
    main()
