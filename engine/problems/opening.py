"""Opens a problem from a file or the registry, with data made here or mapped from the loader.

For the loader and workers only, since it imports torch and runs users' code.
"""

import random
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from engine.problem import SETS, Problem, check_data, is_function, is_tensors
from engine.problems import registry, user_file
from engine.settings import DataSettings, RunSettings, VariantSettings
from engine.training.devices.process import TakenDevice, take_device
from engine.training.trainer import Trainer

if TYPE_CHECKING:
    from engine.problems.handover.description import ProblemDescription
    from engine.problems.handover.user_problem import MadeProblem


@dataclass(frozen=True, slots=True)
class FirstOpening:
    """A problem as its loader has opened it."""

    problem: Problem
    made: "MadeProblem | None" = None
    """A user's problem for the workers; None for others, and if each worker must make it."""
    obstacle: str = ""
    """The reason why each worker must make it."""
    notes: tuple[str, ...] = ()
    """Notes for the user on what took long and each worker repeats."""


def open_first(problem: str, seed: int, data: DataSettings | None = None) -> FirstOpening:
    """Open the problem in the process that loads it. Raises whatever a user's file raises."""
    file = user_file.file_of(problem)
    if file is None:
        return FirstOpening(open_problem(problem, seed, data))
    from engine.problems.handover.timing import notes_on, timed
    from engine.problems.handover.user_problem import Watch

    seed_all(seed)
    with timed(file.parent) as running:
        function = user_file.run_file(problem)
    watch = Watch(file.parent)
    with timed(file.parent) as making:
        returned = user_file.call(function, problem)
        watch.note(returned)
        opened = replace(returned, **{name: _made(name, returned) for name in SETS})
    made = watch.made(returned, opened)
    has_dataset = not is_tensors(opened.train)
    notes = notes_on(file, running.own, making.own, watch.obstacle, has_dataset=has_dataset)
    return FirstOpening(opened, made, watch.obstacle, notes)


def open_problem(
    problem: str, seed: int, data: DataSettings | None = None, stored: Path | None = None
) -> Problem:
    """The problem of this name, with its data. Raises whatever a user's file raises.

    `data` is the file with its data. `stored` is the private directory of this run's loader; the
    tensors and the user's problem there replace those that would be made here.
    """
    seed_all(seed)
    found = _stored(stored) if stored is not None else _Stored()
    if user_file.is_file(problem):
        function = user_file.run_file(problem)
        if stored is not None and (made := _made_by_loader(stored, found)) is not None:
            return made
        opened = user_file.call(function, problem)
    elif found.description is not None:
        return found.description.problem(**found.sets)
    else:
        opened = registry.load(problem, seed, data)
    sets: dict[str, Any] = {name: found.sets[name] or _made(name, opened) for name in SETS}
    return replace(opened, **sets)


def _made_by_loader(stored: Path, found: "_Stored") -> Problem | None:
    """The user's problem as its loader has made it; None if it was not handed over."""
    from engine.problems.handover.user_problem import stored_problem

    try:
        return stored_problem(stored, found.sets)
    except Exception:
        traceback.print_exc()  # to the worker's output; it makes the problem itself
        return None


@dataclass(frozen=True, slots=True)
class _Stored:
    """The data and description stored by the loader; empty if the problem needs no loader."""

    sets: Mapping[str, tuple[torch.Tensor, ...] | None] = field(
        default_factory=lambda: dict.fromkeys(SETS)
    )
    description: "ProblemDescription | None" = None


def _stored(place: Path) -> _Stored:
    # Takes 20 ms, and most workers do not need it.
    from engine.problems.handover.description import stored_description
    from engine.problems.handover.tensors import stored_tensors

    sets = {name: stored_tensors(place, name) for name in SETS}
    return _Stored(sets, stored_description(place) if sets["train"] else None)


def _made(name: str, problem: Problem) -> Any:
    """The data set; if a function makes it, the result of calling the function."""
    made = getattr(problem, name)
    if is_function(made):
        made = made()
        check_data(name, made)
    return made


def tensors_of(problem: Problem) -> tuple[torch.Tensor, ...]:
    """The training data of a problem that holds them as tensors; otherwise empty."""
    if not isinstance(problem.train, tuple):
        return ()
    return tuple(tensor for tensor in problem.train if isinstance(tensor, torch.Tensor))


def open_on_device(
    run: RunSettings,
    device: str,
    threads: int,
    *,
    devices: tuple[str, ...] = (),
    stored: str = "",
) -> tuple[TakenDevice, Problem]:
    """Take the device, then run the problem, which may set up torch in another way.

    `devices` are those of all variants of the run, `stored` the private directory of its loader.
    """
    torch.set_num_threads(threads)
    taken = take_device(device, devices)
    place = Path(stored) if stored else None
    return taken, open_problem(run.problem, run.seed, run.data, place)


def make_trainer(
    problem: Problem,
    settings: VariantSettings,
    run: RunSettings,
    device: torch.device,
    *,
    generation: int = 1,
    sharing: int = 1,
    epochs: int | None = None,
) -> Trainer:
    """A trainer at the initial weights of a generation; every trainer of a run is made here.

    `sharing` counts variants on the device, `epochs` those planned, by default those of the run.
    """
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
        epochs=run.epochs if epochs is None else epochs,
    )


def seed_all(seed: int) -> None:
    """Seed torch's, numpy's and Python's generators, from which a problem may draw."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)
