"""Opens a problem from a file or the registry, its data made here or mapped from the loader's.

For loader and workers only, since it imports torch and runs what users wrote.
"""

import pickle
import random
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from engine.problem import Problem, check_data, is_function
from engine.problems import registry, user_file
from engine.settings import DataSettings, RunSettings, VariantSettings
from engine.training.trainer import Trainer

_PROBLEM: Final = "problem.pickle"
SETS: Final = ("train", "validation")


def open_problem(
    problem: str, seed: int, data: DataSettings | None = None, stored: Path | None = None
) -> Problem:
    """The problem of that name, with its data. Raises whatever a user's file raises.

    `data`: the file that it is made of. `stored`: a directory with tensors that `store` put there;
    they replace those that the problem makes.
    """
    seed_all(seed)
    if user_file.is_file(problem):
        opened = user_file.run(problem)
    elif stored is not None and (file := stored / _PROBLEM).exists():
        opened = pickle.loads(file.read_bytes())
    else:
        opened = registry.load(problem, seed, data)
    sets = {name: _opened(name, getattr(opened, name), stored) for name in SETS}
    return replace(opened, **sets)


def _opened(name: str, made: Any, stored: Path | None) -> Any:
    file = None if stored is None else stored / f"{name}.pt"
    if file is not None and file.exists():
        return torch.load(file, mmap=True, weights_only=True)
    if is_function(made):
        made = made()
        check_data(name, made)
    return made


def store(problem: Problem, data: Path) -> None:
    """Put the tensors of a problem's data sets there for workers to map, one copy for all of them.

    Datasets are left alone: each worker opens its own.
    """
    for name in SETS:
        tensors = getattr(problem, name)
        if isinstance(tensors, tuple | list):
            data.mkdir(parents=True, exist_ok=True)
            # Cloned, for a view would take all that it is a view of with it.
            whole = tuple(
                torch.as_tensor(each).detach().cpu().contiguous().clone() for each in tensors
            )
            torch.save(whole, data / f"{name}.pt")


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


def store_problem(problem: Problem, data: Path) -> None:
    """Store all but the data of a built-in problem: workers then read no file of the user's.

    After `store`. Only what this run's own loader put there is ever unpickled.
    """
    data.mkdir(parents=True, exist_ok=True)
    (data / _PROBLEM).write_bytes(
        pickle.dumps(replace(problem, train=_stored_apart, validation=None))
    )


def _stored_apart() -> Any:
    raise AssertionError("its tensors lie beside it")


def seed_all(seed: int) -> None:
    """Fix what a problem draws from torch's, numpy's and Python's own generators."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)
