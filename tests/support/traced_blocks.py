"""Blocks that run their graph as it was traced, without the minute that a compiler takes."""

from typing import Any

import torch
from torch import Tensor

from engine.problem import Problem
from engine.training.compiled.block import CompiledBlock
from engine.training.compiled.compiler import facts_of
from engine.training.compiled.rehearsal import Rehearsal
from engine.training.compiled.spec import BlockSpec
from engine.training.compiled.suitability import short_group, spec_of
from engine.training.compiled.tracing.trace import TracedBlock, trace
from engine.training.execution.calls import EndBlock
from engine.training.trainer import Trainer
from engine.worker.compiling import library
from engine.worker.protocol import BuildAnswer, BuildWanted


class GraphProgram:
    """Stands for a compiled program."""

    def __init__(self, traced: TracedBlock, error: float = 0.0) -> None:
        """`error` is added to the first parameter by each call."""
        self._graph: Any = traced.graph
        self._error = error

    def run(self, inputs: list[Tensor]) -> list[Tensor]:
        with torch.no_grad():
            results: list[Tensor] = self._graph(*inputs)
            inputs[0] += self._error
        return results


def traced(trainer: Trainer, short: int = 0) -> tuple[BlockSpec, TracedBlock]:
    """The block of a trainer that has done an update, or that of a short group."""
    spec = spec_of(trainer)
    spec = spec.with_short_group(short) if short else spec
    samples = spec.tensors(trainer.source.take(0, spec.size))
    return spec, trace(trainer.objective, trainer.recipe.optimizer, spec, samples)


def block_of(trainer: Trainer, short: int = 0) -> CompiledBlock:
    """That block at work for the trainer."""
    spec, made = traced(trainer, short)
    program = GraphProgram(made)
    return CompiledBlock(facts_of(spec, made), program, trainer.objective, trainer.recipe)


def end_block_of(trainer: Trainer) -> EndBlock | None:
    """The block of the short group that ends the trainer's epochs, if there is one."""
    short = short_group(trainer)
    return EndBlock(block_of(trainer, short), short) if short else None


class TracedBuilds:
    """The answers of a session that traces what a worker of a problem wants, each once."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._made: dict[bytes, tuple[BlockSpec, TracedBlock]] = {}

    def answer(self, note: BuildWanted) -> BuildAnswer:
        """Trace in a training of its own, as a job does; the shared generator draws nothing."""
        if note.spec not in self._made:
            spec = library.described(note.spec)
            with torch.random.fork_rng(devices=[]):
                rehearsal = Rehearsal(self._problem, spec, seed=0)
                self._made[note.spec] = spec, rehearsal.trace(spec)
        return BuildAnswer(spec=note.spec, path="/", key="a key")

    def load(self, answer: BuildAnswer, trainer: Trainer) -> CompiledBlock:
        """Stands for `library.load`."""
        spec, made = self._made[answer.spec]
        program = GraphProgram(made)
        return CompiledBlock(facts_of(spec, made), program, trainer.objective, trainer.recipe)
