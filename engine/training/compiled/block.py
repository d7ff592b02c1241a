"""A compiled block at work: whole updates in one call, on the tensors that a training holds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from engine.training.compiled.cache.programs import read_facts
from engine.training.compiled.compiler import ProgramFacts, load_program
from engine.training.compiled.layout import HeldTensors
from engine.training.compiled.spec import BlockSpec, TensorShape, UnsuitedError
from engine.training.compiled.tracing.trace import number_inputs
from engine.training.data.sources import Samples
from engine.training.execution.block import Outcome
from engine.training.model import Objective
from engine.training.recipe.recipe import Recipe


class CompiledBlock:
    """A program that trains blocks of one training, in place of the readable step.

    Parameters, buffers and the optimiser's state change in place, so that the readable step,
    checkpoints and evaluations go on from there.
    """

    def __init__(
        self, facts: ProgramFacts, program: Any, objective: Objective, recipe: Recipe
    ) -> None:
        """Raises UnsuitedError if the program belongs to a model with other weights."""
        self.spec: BlockSpec = facts.spec
        self._facts = facts
        self._run = program.run
        self._objective, self._recipe = objective, recipe
        self._held = HeldTensors(facts.layout, objective.model, recipe.optimizer)
        self._checked: list[Tensor] = []
        self._numbers: tuple[Any, ...] = ()
        self._fed: list[Tensor] = []

    @classmethod
    def load(cls, path: Path, objective: Objective, recipe: Recipe) -> "CompiledBlock":
        """Load a program of a BuildCache. Raises OSError, or UnsuitedError."""
        facts = read_facts(path)
        return cls(facts, load_program(path, objective.device), objective, recipe)

    @property
    def is_ready(self) -> bool:
        """True once the optimiser has the state that its first update makes."""
        return self._current().has_state

    @property
    def updates(self) -> int:
        """Updates in a call."""
        return self.spec.updates

    def train(self, samples: Samples, lrs: Sequence[float]) -> Outcome:
        """Train on the samples of all batches in order, with the lr in force of each update."""
        held = self._current().tensors()
        self._check(held)
        fitting = [each.contiguous() for each in self.spec.fitting(samples)]
        results = self._run([*held, *self._number_inputs(lrs), *fitting])
        return Outcome(**dict(zip(self._facts.outputs, results, strict=True)))

    def _number_inputs(self, lrs: Sequence[float]) -> list[Tensor]:
        """The numbers as tensors, made again only if they have changed."""
        recipe = self._recipe
        momentum = [float(each.get("momentum", 0.0)) for each in recipe.optimizer.param_groups]
        numbers = [*lrs], recipe.lr_ratios, momentum, recipe.clip
        if numbers != self._numbers:
            by_group = [[lr * ratio for ratio in recipe.lr_ratios] for lr in lrs]
            self._numbers, self._fed = numbers, number_inputs(by_group, momentum, recipe.clip)
        return self._fed

    def _current(self) -> HeldTensors:
        """The places of the tensors; a change of optimiser makes others."""
        if self._held.optimizer is not self._recipe.optimizer:
            self._held = HeldTensors(
                self._facts.layout, self._objective.model, self._recipe.optimizer
            )
        return self._held

    def _check(self, held: list[Tensor]) -> None:
        """Refuse tensors of another form, on which the program would run astray."""
        if len(held) == len(self._checked) and all(
            one is other for one, other in zip(held, self._checked, strict=True)
        ):
            return
        for tensor, shape in zip(held, self._facts.inputs, strict=False):
            if TensorShape.of(tensor) != shape:
                raise UnsuitedError("a tensor has another form than the compiled one")
        self._checked = held
