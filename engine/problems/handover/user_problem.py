"""Hands a user's problem over, so that workers run its file but not the function that makes data.

What the function did besides returning the problem comes along: the states of the random
generators, changed globals that the model or the loss may use, and settings of the process.
Whatever cannot come along leaves the function to each worker.
"""

import pickle
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch

from engine.log.filesystem.private import is_private
from engine.log.filesystem.safe_open import replace_whole
from engine.problem import SETS, Problem, is_function, is_tensors
from engine.problems.handover.module_state import Name, changed, state_of, user_modules
from engine.problems.handover.pickling import HandoverError, dump, load
from engine.problems.handover.process_state import (
    ProcessChanges,
    ProcessState,
    random_state,
    set_random_state,
)
from engine.problems.handover.tensors import store_objects, stored_objects
from engine.settings import SettingsError

_FILE: Final = "made.pickle"


class MadeProblem(NamedTuple):
    """A problem to be handed over."""

    pickled: bytes
    tensors: list[torch.Tensor]
    """Tensors outside its data sets."""


class _Effects(NamedTuple):
    """Side effects of a user's function."""

    random: tuple[Any, ...]
    process: ProcessChanges
    modules: dict[Name, Any]


class Watch:
    """Watches what the user's function does besides returning a problem."""

    def __init__(self, folder: Path) -> None:
        """Begins when the file has been run; `folder` is its directory."""
        self._folder = folder
        self._effects: _Effects | None = None
        self.obstacle = ""
        """The reason why the problem cannot be handed over."""
        with self._obstacles():
            self._modules = state_of(user_modules(folder))
            self._process = ProcessState()

    @contextmanager
    def _obstacles(self) -> Iterator[None]:
        """Note what goes wrong: whatever a user's objects do, workers can make the problem."""
        try:
            yield
        except Exception as error:
            self.obstacle = str(error) or type(error).__name__

    def note(self, problem: Problem) -> None:
        """Note what has been done since the beginning by the function that returned a problem."""
        if not self.obstacle:
            with self._obstacles():
                self._effects = self._found(problem)

    def made(self, returned: Problem, problem: Problem) -> MadeProblem | None:
        """The problem for the workers; None if it cannot be handed over.

        `returned` is as the function returned it, `problem` with its data made.
        """
        if not self.obstacle:
            with self._obstacles():
                return self._made(returned, problem)
        return None

    def _found(self, problem: Problem) -> _Effects:
        roots = [getattr(problem, each.name) for each in fields(Problem)]
        roots += problem.metrics.values()
        return _Effects(
            random_state(),
            self._process.changes(),
            changed(self._modules, user_modules(self._folder), roots),
        )

    def _made(self, returned: Problem, problem: Problem) -> MadeProblem:
        if type(returned) is not Problem:
            raise HandoverError(f"{type(returned).__name__} is a subclass of Problem")
        are_tensors = {
            name: is_tensors(getattr(problem, name))
            for name in SETS
            if is_function(getattr(returned, name))
        }
        if len({*are_tensors.values()}) > 1:
            raise HandoverError("one of its data sets is tensors, the other is not")
        if not all(are_tensors.values()):
            self._effects = self._found(problem)  # workers would call these functions, too
        effects = self._effects
        assert effects is not None
        parts = {each.name: getattr(problem, each.name) for each in fields(Problem)}
        sets = {name: parts.pop(name) for name in SETS if is_tensors(parts[name])}
        places = {
            (name, place): tensor
            for name, tensors in sets.items()
            for place, tensor in enumerate(tensors)
        }
        pickled, tensors = dump((parts, effects.modules), places)
        outer = pickle.dumps((tuple(effects.process), effects.random, pickled))
        return MadeProblem(outer, tensors)


def store_made(made: MadeProblem, place: Path) -> None:
    """Store a problem in the private directory of its loader, if there is space for it."""
    try:
        store_objects(made.tensors, place)
        replace_whole(place / _FILE, made.pickled)
    except (OSError, SettingsError):  # workers can make it themselves
        (place / _FILE).unlink(missing_ok=True)


def stored_problem(place: Path, sets: Mapping[str, Any]) -> Problem | None:
    """The problem that was handed over; None if there is none. Its file must have been run here.

    `place` is the private directory of the loader, `sets` are the tensors of the data sets. Raises
    whatever unpickling raises; this process is then as it was, up to what the user's code did.
    """
    # It was pickled by our own process, and runs no code that its file could not run.
    if not (place / _FILE).exists() or not is_private(place):
        return None
    return _rebuilt((place / _FILE).read_bytes(), place, sets)


def _rebuilt(data: bytes, place: Path, sets: Mapping[str, Any]) -> Problem:
    objects = stored_objects(place)
    before = random_state()

    def tensor_at(found: tuple[str, int]) -> torch.Tensor:
        name, number = found
        tensors: tuple[torch.Tensor, ...] = sets[name] if name else objects
        return tensors[number]

    process, state, pickled = pickle.loads(data)
    try:
        ProcessChanges(*process).apply()
        parts, modules = load(pickled, tensor_at)
        made = {name: sets[name] for name in SETS if name not in parts}
        problem = Problem(**parts, **made)
    except BaseException:
        set_random_state(before)
        raise
    for (module, name), value in modules.items():
        setattr(sys.modules[module], name, value)
    set_random_state(state)
    return problem
