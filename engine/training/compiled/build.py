"""A block made from a problem: compiled or captured, and compared with the readable step.

Runs in the process of a job: it may take a minute, and holds a training of its own.
"""

import time
from collections.abc import Callable
from typing import Final

import msgspec
import torch

from engine.problem import Problem
from engine.training.compiled.cache.programs import BuildCache
from engine.training.compiled.compiler import (
    compile_program,
    facts_of,
    key_of,
    key_of_capture,
    require_compiler,
)
from engine.training.compiled.rehearsal import Rehearsal
from engine.training.compiled.spec import BlockSpec

_MOST_OPERATIONS: Final = 1000
"""Operations of a block: compiling 600 took 15 s, on a core of its own."""


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled program of a block."""

    key: str
    """The identity of the program, equal for equal programs."""
    path: str = ""
    """The file of a compiled program; "" for a captured one, which a process keeps for itself."""
    nodes: int
    """Operations of one update."""
    seconds: float = 0.0
    """Seconds that it took to make; 0 if it was in the cache."""


def build(
    problem: Problem,
    spec: BlockSpec,
    seed: int,
    cache: BuildCache,
    wanted: Callable[[int], bool] = lambda nodes: True,
) -> Build | None:
    """The program of a block, from the cache if it is there.

    A block of many operations has fewer updates than `spec` calls for, to be compiled in time.
    `wanted` gets the number of operations of an update before anything is compiled; if it returns
    False, nothing is, and the result is None. Raises UnsuitedError if there is no such program.
    """
    require_compiler()
    torch.set_num_threads(spec.threads)
    rehearsal = Rehearsal(problem, spec, seed)
    single = rehearsal.trace(spec.with_updates(1))
    spec = spec.with_updates(updates_in_time(spec.updates, single.nodes))
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
        rehearsal.compare(rehearsal.load(program, facts))
        path = cache.put(key, program, facts)
    seconds = time.perf_counter() - start
    return Build(path=str(path), key=key, nodes=single.nodes, seconds=seconds)


def rehearse(
    problem: Problem,
    spec: BlockSpec,
    seed: int,
    wanted: Callable[[int], bool] = lambda nodes: True,
) -> Build | None:
    """A block that a worker may capture on its GPU, as was tried here.

    Errors in a capture can leave torch in a state in which no training should go on, and a wrong
    one would train wrongly: that is found out in this process. Arguments as for `build`.
    """
    start = time.perf_counter()
    rehearsal = Rehearsal(problem, spec, seed)
    operations = rehearsal.operations()
    if not wanted(len(operations)):
        return None
    rehearsal.compare(rehearsal.capture())
    seconds = time.perf_counter() - start
    return Build(key=key_of_capture(operations, spec), nodes=len(operations), seconds=seconds)


def updates_in_time(updates: int, operations: int) -> int:
    """The updates of a block, at most `updates`, of so many operations each."""
    most = max(_MOST_OPERATIONS // max(operations, 1), 1)
    if updates <= most:
        return updates
    even = max(size for size in range(1, most + 1) if updates % size == 0)
    return even if 2 * even > most else most
