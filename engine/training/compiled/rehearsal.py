"""A training of a problem's own in the process that compiles: traced, and compared with."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from engine.problem import Problem
from engine.settings import Precision
from engine.training.compiled.block import CompiledBlock
from engine.training.compiled.captured import CapturedBlock
from engine.training.compiled.compiler import ProgramFacts, load_program
from engine.training.compiled.layout import HeldTensors, layout_of
from engine.training.compiled.spec import BlockSpec, UnsuitedError, first_line
from engine.training.compiled.tracing.trace import TracedBlock, trace
from engine.training.devices.process import seed_generator
from engine.training.execution.block import UpdateBlock
from engine.training.schedule import Batch, cut
from engine.training.state.generators import global_generators
from engine.training.state.modules import module_state
from engine.training.step import train
from engine.training.trainer import Trainer

_TOLERANCES: Final = {torch.float64: 1e-9, torch.float32: 1e-4}
_TOLERANCE: Final = 3e-2
"""Largest difference from the readable step after one block, relative to the largest value.

That of bfloat16, in which the compiler rounds less often than the eager step does.
"""


class Rehearsal:
    """A training after its first updates, which made the optimiser's state.

    Raises UnsuitedError if an update changes what a program cannot: counts and caches in Python.
    """

    def __init__(self, problem: Problem, spec: BlockSpec, seed: int) -> None:
        self._trainer = Trainer(problem, spec.settings, seed, torch.device(spec.device))
        self._seed, self._spec = seed, spec
        self._trainer.source.begin(None, 1)
        group = spec.batch_size * spec.accumulation_steps
        self._train(group)  # makes what models and optimisers make once
        before = self._outside()
        self._train(group)
        for name, value in self._outside().items():
            if before.get(name) != value:
                raise UnsuitedError(f"an update changes {name}, in Python")

    def trace(self, spec: BlockSpec) -> TracedBlock:
        """The block of `spec` as it goes on from here."""
        trainer = self._trainer
        return trace(trainer.objective, trainer.recipe.optimizer, spec, self._samples(spec))

    def load(self, program: Path, facts: ProgramFacts) -> CompiledBlock:
        """A compiled program at work on this training."""
        trainer = self._trainer
        run = load_program(program, trainer.device)
        return CompiledBlock(facts, run, trainer.objective, trainer.recipe)

    def capture(self) -> CapturedBlock:
        """A block captured from this training."""
        trainer, spec = self._trainer, self._spec
        samples = trainer.source.take(0, spec.size)
        try:
            return CapturedBlock(spec, trainer.objective, trainer.recipe, samples)
        except UnsuitedError:
            raise
        except Exception as error:
            raise UnsuitedError(f"CUDA cannot capture it: {first_line(error)}") from error

    def operations(self) -> list[str]:
        """The names of the operations of one update, in order."""
        listing = _Listing()
        with listing:
            self._train(self._spec.batch_size * self._spec.accumulation_steps)
        return listing.names

    def compare(self, block: UpdateBlock) -> None:
        """Raise UnsuitedError unless the block trains as the readable step does."""
        trainer, spec = self._trainer, self._spec.with_updates(block.updates)
        lrs = [spec.settings.lr * (1 + number / 10) for number in range(spec.updates)]
        layout = layout_of(trainer.model, trainer.recipe.optimizer)
        places = HeldTensors(layout, trainer.model, trainer.recipe.optimizer)
        held = places.tensors()
        before = [each.detach().clone() for each in held]
        seed_generator(trainer.device, self._seed)
        try:
            losses = block.train(trainer.source.take(0, spec.size), lrs).losses
        except Exception as error:
            raise UnsuitedError(f"the compiled step fails: {first_line(error)}") from error
        mine = [losses, *(each.detach().clone() for each in held), *self._draws()]
        with torch.no_grad():
            for tensor, value in zip(held, before, strict=True):
                tensor.copy_(value)
        seed_generator(trainer.device, self._seed)
        expected = torch.stack(self._train(spec.size, lrs))
        held = places.tensors()  # a model may put other buffers in their places
        for one, other in zip(mine, (expected, *held, *self._draws()), strict=True):
            kind = other.dtype if spec.precision is Precision.FP32 else torch.bfloat16
            _require_equal(one, other, _TOLERANCES.get(kind, _TOLERANCE))

    def _draws(self) -> list[Tensor]:
        """The states of torch's generators, on the host and on the device."""
        state = global_generators(self._trainer.device)
        return [state[name] for name in ("torch", "device") if name in state]

    def _train(self, samples: int, lrs: Sequence[float] = ()) -> list[Tensor]:
        """Train on the first samples by the readable step, with these lrs; return the losses."""
        trainer = self._trainer
        objective, groups = trainer.objective, trainer.recipe.optimizer.param_groups
        resolved, later = self._spec.resolved, iter(lrs)

        def followed() -> Iterator[Batch]:
            for batch in cut(0, samples, resolved, adds=objective.average.is_sum):
                for group in groups if lrs and not batch.in_update else ():
                    group["lr"] = next(later)
                yield batch

        parts = trainer.recipe.parts
        return [loss for _, loss, _ in train(followed(), trainer.source, objective, *parts)]

    def _samples(self, spec: BlockSpec) -> list[Tensor]:
        samples = spec.tensors(self._trainer.source.take(0, spec.size))
        return [each.contiguous() for each in samples]

    def _outside(self) -> dict[str, str]:
        """Everything that an update of a program leaves as it is, as text, by name."""
        model = self._trainer.model
        found = {"the draws of numpy": str(np.random.get_state(legacy=False)["state"])}
        found["the draws of Python"] = str(random.getstate())
        parts: list[tuple[str, Any]] = [("model", model)]
        if isinstance(self._trainer.problem.loss, nn.Module):
            parts.append(("loss", self._trainer.problem.loss))
        own = {id(each) for each in (*model.parameters(), *model.buffers())}
        for part, module in parts:
            state = module_state(module)
            found |= {f"the {part}'s {name}": repr(each) for name, each in state["counted"].items()}
            for path, owner in module.named_modules():
                for name, each in vars(owner).items():
                    if isinstance(each, Tensor) and id(each) not in own:
                        found[f"the {part}'s {path}.{name}"] = f"{id(each)} {each._version}"
        return found


class _Listing(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A mode that lists the operations that are done in it."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        self.names.append(str(func))
        return func(*args, **(kwargs or {}))


def _require_equal(mine: Tensor, theirs: Tensor, relative: float = 0.0) -> None:
    if not mine.is_floating_point():
        if not torch.equal(mine, theirs):
            raise UnsuitedError("the compiled step draws or counts otherwise than the readable one")
        return
    mine, theirs = mine.detach().double(), theirs.detach().double()
    known = theirs.isfinite()  # the rehearsal may diverge, with an lr that is not the user's
    largest = float(theirs[known].abs().max()) if known.any() else 0.0
    if not torch.allclose(mine[known], theirs[known], rtol=0, atol=relative * max(largest, 1e-6)):
        raise UnsuitedError("the compiled step gives other results than the readable one")
