"""Opens a problem from a file or the registry, its data made here or mapped from the loader's.

For loader and workers only, since it imports torch and runs what users wrote.
"""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.problem import Problem, check_data, is_function
from engine.problems import handover, registry, user_file
from engine.problems.handover import SETS
from engine.settings import DataSettings, RunSettings, VariantSettings
from engine.training.trainer import Trainer


def open_problem(
    problem: str, seed: int, data: DataSettings | None = None, stored: Path | None = None
) -> Problem:
    """The problem of that name, with its data. Raises whatever a user's file raises.

    `data`: the file that it is made of. `stored`: the private directory of this run's loader; the
    tensors there replace those that the problem makes.
    """
    seed_all(seed)
    sets: dict[str, Any] = dict.fromkeys(SETS)
    if stored is not None:
        sets = {name: handover.stored_tensors(stored, name) for name in SETS}
    if user_file.is_file(problem):
        opened = user_file.run(problem)
    elif sets["train"] and stored and (known := handover.stored_description(stored)):
        return known.problem(**sets)
    else:
        opened = registry.load(problem, seed, data)
    made: dict[str, Any] = {name: sets[name] or _made(name, opened) for name in SETS}
    return replace(opened, **made)


def _made(name: str, problem: Problem) -> Any:
    """The data set, by a call where that is what makes it."""
    made = getattr(problem, name)
    if is_function(made):
        made = made()
        check_data(name, made)
    return made


def tensors_of(problem: Problem) -> tuple[torch.Tensor, ...]:
    """The training data of a problem that holds them as tensors; nothing of one that does not."""
    if not isinstance(problem.train, tuple):
        return ()
    return tuple(tensor for tensor in problem.train if isinstance(tensor, torch.Tensor))


def make_trainer(
    problem: Problem,
    settings: VariantSettings,
    run: RunSettings,
    device: torch.device,
    *,
    generation: int,
    sharing: int,
) -> Trainer:
    """The first weights of a generation of a run's variant. `sharing`: variants on this device."""
    return Trainer(
        problem,
        settings,
        run.seed,
        device,
        generation=generation,
        micro_batch=run.micro_batch,
        data_on=run.data_on,
        loader_workers=run.loader_workers,
        sharing=sharing,
    )


def seed_all(seed: int) -> None:
    """Fix what a problem draws from torch's, numpy's and Python's own generators."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)
