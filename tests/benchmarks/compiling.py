"""Compiled blocks: updates/s against the eager trainer and a plain loop, and the cost of a build.

    python tests/benchmarks/compiling.py [--case synthetic:1] [--optimizer sgd] [--seconds 1]
    [--rounds 5] [--threads 1] [--folder DIR]

The three train in turn in one process, epochs and short last batches included; rates count CPU
time, so that a busy machine does not matter much. Programs come from DIR if they are there.
"""

import argparse
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import torch

from engine.problem import Problem
from engine.problems.registry import load
from engine.settings import VariantSettings
from engine.training.compiled.block import CompiledBlock
from engine.training.compiled.build import build
from engine.training.compiled.cache.programs import BuildCache
from engine.training.compiled.spec import BlockSpec, UnsuitedError
from engine.training.compiled.suitability import short_group, spec_of
from engine.training.execution.calls import EndBlock
from engine.training.trainer import Trainer

CASES: Final = (
    *("synthetic:1", "synthetic:64", "digits:1", "digits:64", "digits-cnn:64", "char-lm:32"),
)
"""Problems with their batch sizes."""


def plain(problem: Problem, settings: VariantSettings) -> Iterator[int]:
    """The lesson's loop; yields the updates done, now and then."""
    inputs, target = map(torch.as_tensor, problem.train)
    model, size = problem.model(), int(settings.batch_size)
    name = settings.optimizer_parsed.name
    make = {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW}[name]
    optimizer = make(model.parameters(), lr=settings.lr)
    for updates in itertools.count(1):
        if updates * size % len(inputs) <= size:
            order = torch.randperm(len(inputs))
            inputs, target = inputs[order], target[order]
        start = (updates - 1) * size % (len(inputs) - size + 1)
        optimizer.zero_grad()
        loss = problem.loss(model(inputs[start : start + size]), target[start : start + size])
        loss.backward()
        optimizer.step()
        loss.item()
        if updates % 16 == 0:
            yield updates


def trained(trainer: Trainer) -> Iterator[int]:
    """A trainer at work; yields its updates."""
    while True:
        trainer.advance(1 << 12)
        yield trainer.updates


def rate(progress: Iterator[int], seconds: float) -> float:
    """Updates per second of CPU time."""
    before, start, cpu = next(progress), time.perf_counter(), time.process_time()
    while time.perf_counter() - start < seconds:
        after = next(progress)
    return (after - before) / (time.process_time() - cpu)


def report(case: str, options: argparse.Namespace, cache: BuildCache) -> None:
    name, size = case.split(":")
    problem = load(name, 0)
    settings = VariantSettings(batch_size=int(size), lr=0.001, optimizer=options.optimizer)

    def make() -> Trainer:
        trainer = Trainer(problem, settings, 0, torch.device("cpu"), epochs=1 << 20)
        trainer.advance(1)
        return trainer

    ours = make()
    began = cpu_seconds()
    try:
        made = build(problem, spec := spec_of(ours), 0, cache)
    except UnsuitedError as error:
        print(f"{case}: {error}")
        return
    assert made is not None
    spent = cpu_seconds() - began
    start = time.perf_counter()
    program = CompiledBlock.load(Path(made.path), ours.objective, ours.recipe)
    loading = 1000 * (time.perf_counter() - start)
    ours.use(program, end_block(ours, spec, cache))
    contenders = [trained(ours), trained(make()), plain(problem, settings)]
    rounds = [[rate(each, options.seconds) for each in contenders] for _ in range(options.rounds)]
    block, eager, loop = (statistics.median(each) for each in zip(*rounds, strict=True))
    of_eager = statistics.median(a / b for a, b, _ in rounds)
    of_loop = statistics.median(a / c for a, _, c in rounds)
    print(
        f"{case}, {options.optimizer}, {program.updates} updates a call of "
        f"{made.nodes} operations: "
        f"{block:,.0f} ÷ eager {eager:,.0f} = {of_eager:.1f}; ÷ plain {loop:,.0f} = {of_loop:.1f}; "
        f"build {made.seconds:.0f} s ({spent:.0f} s of CPU), "
        f"{Path(made.path).stat().st_size / 1e6:.1f} MB, loaded in {loading:.1f} ms, "
        f"load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def end_block(trainer: Trainer, spec: BlockSpec, cache: BuildCache) -> EndBlock | None:
    """The block of the short group that ends an epoch, if there is one."""
    if not (samples := short_group(trainer)):
        return None
    made = build(trainer.problem, spec.with_short_group(samples), 0, cache)
    assert made is not None
    print(f"  with a short group of {samples}, built in {made.seconds:.0f} s")
    return EndBlock(CompiledBlock.load(Path(made.path), trainer.objective, trainer.recipe), samples)


def cpu_seconds() -> float:
    """CPU time of this process and those it has started."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", action="append")
    parser.add_argument("--optimizer", default="sgd")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    with tempfile.TemporaryDirectory() as temporary:
        programs = BuildCache(given.folder or Path(temporary) / "builds")
        for each in given.case or CASES:
            report(each, given, programs)
