"""A compiled block made from a problem: traced, compiled and compared with the readable step.

Runs in the process of a job: it may take a minute, and holds a training of its own.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
import torch
from torch import Tensor

from engine.problem import Problem
from engine.training.compiled.cache import BuildCache
from engine.training.compiled.compiler import (
    ProgramFacts,
    compile_program,
    facts_of,
    key_of,
    load_program,
    require_compiler,
)
from engine.training.compiled.layout import HeldTensors
from engine.training.compiled.spec import BlockSpec, UnsuitedError
from engine.training.compiled.trace import TracedBlock, number_inputs, trace
from engine.training.devices.process import seed_generator
from engine.training.schedule import Batch, cut
from engine.training.step import train
from engine.training.trainer import Trainer

_TOLERANCES: Final = {torch.float64: 1e-9}
_TOLERANCE: Final = 1e-3
"""Largest difference from the readable step after one block, relative to the largest value."""
_LOWEST: Final = 19
"""The priority of a job that compiles: training comes first."""


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled program of a block."""

    path: str
    key: str
    """The identity of the program, equal for equal programs."""
    nodes: int
    """Operations of one update."""
    seconds: float = 0.0
    """Seconds that it took to compile; 0 if it was in the cache."""


def build(
    problem: Problem,
    spec: BlockSpec,
    seed: int,
    cache: BuildCache,
    wanted: Callable[[int], bool] = lambda nodes: True,
) -> Build | None:
    """The program of a block, from the cache if it is there.

    `wanted` gets the number of operations of an update before anything is compiled; if it returns
    False, nothing is, and the result is None. Raises UnsuitedError if there is no such program.
    """
    require_compiler()
    torch.set_num_threads(spec.threads)
    rehearsal = _Rehearsal(problem, spec, seed)
    one = msgspec.structs.replace(
        spec,
        updates=1,
        samples=tuple(
            msgspec.structs.replace(each, size=(each.size[0] // spec.updates, *each.size[1:]))
            for each in spec.samples
        ),
    )
    single = rehearsal.trace(one)
    key = key_of(single, spec)
    if found := cache.find(key):
        return Build(path=str(found), key=key, nodes=single.nodes)
    if not wanted(single.nodes):
        return None
    start = time.perf_counter()
    traced = rehearsal.trace(spec)
    with cache.work() as folder:
        program = compile_program(traced, folder)
        facts = facts_of(spec, traced)
        rehearsal.compare(program, facts)
        path = cache.put(key, program, facts)
    seconds = time.perf_counter() - start
    return Build(path=str(path), key=key, nodes=single.nodes, seconds=seconds)


def yield_to_training() -> None:
    """Give this process, and the compilers that it starts, the lowest priority."""
    with contextlib.suppress(OSError):
        os.nice(_LOWEST)


class _Rehearsal:
    """A training of the problem that has done an update, and stops there."""

    def __init__(self, problem: Problem, spec: BlockSpec, seed: int) -> None:
        device = torch.device(spec.device)
        self._trainer = Trainer(problem, spec.settings, seed, device)
        self._seed, self._spec = seed, spec
        self._trainer.source.begin(None, 1)
        self._train(spec.batch_size * spec.accumulation_steps)

    def _train(self, samples: int, lrs: Sequence[float] = ()) -> list[Tensor]:
        """Train on the first samples by the readable step, with these lrs; return the losses."""
        trainer = self._trainer
        objective, groups = trainer.objective, trainer.recipe.optimizer.param_groups
        resolved, later = self._spec.settings.resolve(samples), iter(lrs)

        def followed() -> Iterator[Batch]:
            for batch in cut(0, samples, resolved, adds=objective.average.is_sum):
                for group in groups if lrs and not batch.in_update else ():
                    group["lr"] = next(later)
                yield batch

        parts = trainer.recipe.parts
        return [loss for _, loss, _ in train(followed(), trainer.source, objective, *parts)]

    def trace(self, spec: BlockSpec) -> TracedBlock:
        """The block of `spec` as it goes on from here."""
        trainer = self._trainer
        samples = self._samples(spec)
        return trace(trainer.objective, trainer.recipe.optimizer, spec, samples)

    def _samples(self, spec: BlockSpec) -> list[Tensor]:
        samples = spec.tensors(self._trainer.source.take(0, spec.size))
        return [each.contiguous() for each in samples]

    def compare(self, program: Path, facts: ProgramFacts) -> None:
        """Raise UnsuitedError unless the program trains as the readable step does."""
        trainer, spec = self._trainer, self._spec
        lrs = [spec.settings.lr * (1 + number / 10) for number in range(spec.updates)]
        held = HeldTensors(facts.layout, trainer.model, trainer.recipe.optimizer).tensors()
        inputs = [each.detach().clone() for each in held]
        momentum = [spec.settings.momentum]
        numbers = number_inputs([[lr] for lr in lrs], momentum, spec.settings.clip)
        seed_generator(trainer.device, self._seed)
        run = load_program(program, trainer.device).run
        losses, *_ = run([*inputs, *numbers, *self._samples(spec)])
        seed_generator(trainer.device, self._seed)
        _require_equal(losses, torch.stack(self._train(spec.size, lrs)))
        for mine, theirs in zip(inputs, held, strict=True):
            _require_equal(mine, theirs)


def _require_equal(mine: Tensor, theirs: Tensor) -> None:
    if not mine.is_floating_point():
        if not torch.equal(mine, theirs):
            raise UnsuitedError("the compiled step counts otherwise than the readable one")
        return
    relative = _TOLERANCES.get(theirs.dtype, _TOLERANCE)
    mine, theirs = mine.detach().double(), theirs.detach().double()
    largest = float(theirs.abs().max()) if theirs.numel() else 0.0
    allowed = relative * max(largest, 1e-6)
    if not torch.allclose(mine, theirs, rtol=0, atol=allowed, equal_nan=True):
        raise UnsuitedError("the compiled step gives other results than the readable one")
