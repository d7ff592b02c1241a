"""Opens a problem from a file or the registry, its data made here or mapped from the loader's.

For loader and workers only, since it imports torch and runs what users wrote.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from engine.problem import SETS, Problem, check_data, is_function
from engine.problems import registry, user_file
from engine.settings import DataSettings, RunSettings, VariantSettings
from engine.training.trainer import Trainer

if TYPE_CHECKING:
    from engine.problems.handover import ProblemDescription


def open_problem(
    problem: str, seed: int, data: DataSettings | None = None, stored: Path | None = None
) -> Problem:
    """The problem of that name, with its data. Raises whatever a user's file raises.

    `data`: the file that it is made of. `stored`: the private directory of this run's loader; the
    tensors there replace those that the problem makes.
    """
    seed_all(seed)
    found = _stored(stored) if stored is not None else _Stored()
    if user_file.is_file(problem):
        opened = user_file.run(problem)
    elif found.description is not None:
        return found.description.problem(**found.sets)
    else:
        opened = registry.load(problem, seed, data)
    made: dict[str, Any] = {name: found.sets[name] or _made(name, opened) for name in SETS}
    return replace(opened, **made)


@dataclass(frozen=True, slots=True)
class _Stored:
    """The loader's findings; none of a problem that needs no loader."""

    sets: Mapping[str, tuple[torch.Tensor, ...] | None] = field(
        default_factory=lambda: dict.fromkeys(SETS)
    )
    description: "ProblemDescription | None" = None


def _stored(place: Path) -> _Stored:
    from engine.problems import handover  # takes a worker 20 ms, which most need not spend

    sets = {name: handover.stored_tensors(place, name) for name in SETS}
    return _Stored(sets, handover.stored_description(place) if sets["train"] else None)


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
