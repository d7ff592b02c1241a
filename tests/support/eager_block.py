"""A block that calls the eager step for each of its updates: what compiled ones are held to."""

from collections.abc import Sequence
from typing import Any

import torch

from engine.training.data.sources import Samples
from engine.training.execution.block import Outcome
from engine.training.schedule import cut
from engine.training.step import train
from engine.training.trainer import Trainer


class EagerBlock:
    """Several updates of a trainer, as it is set now, in one call."""

    def __init__(
        self, trainer: Trainer, updates: int, fails_at: int = 0, error: float = 0.0
    ) -> None:
        """`fails_at`: the number of the call in which memory runs out, from 1; 0 for none.

        `error`: relative, of the weights after each call, as a compiled step rounds otherwise.
        """
        self.updates = updates
        self.is_ready = True
        self.calls = 0
        self._trainer, self._fails_at, self._error = trainer, fails_at, error
        self._groups = trainer.recipe.optimizer.param_groups

    def train(self, samples: Samples, lrs: Sequence[float]) -> Outcome:
        self.calls += 1
        if self.calls == self._fails_at:
            raise torch.OutOfMemoryError("CUDA out of memory")
        trainer, left = self._trainer, list(lrs)
        step, forward, scale = trainer.recipe.parts

        def next_step() -> None:
            lr = left.pop(0)
            for group in self._groups:
                group["lr"] = lr
            step()

        size = len(next(iter(samples.values() if isinstance(samples, dict) else samples)))
        adds = trainer.objective.average.is_sum
        schedule = cut(0, size, trainer.resolved, adds=adds)
        trained = [*train(schedule, _Taken(samples), trainer.objective, next_step, forward, scale)]
        with torch.no_grad():
            for parameter in trainer.objective.parameters:
                parameter.mul_(1 + self._error)
        weights = [weight for _, _, weight in trained if weight is not None]
        return Outcome(
            losses=torch.stack([loss for _, loss, _ in trained]),
            weights=torch.stack(weights) if weights else None,
        )


class _Taken:
    """Samples that were taken, as a source."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    def take(self, start: int, stop: int) -> Samples:
        if isinstance(self._samples, dict):
            return {name: each[start:stop] for name, each in self._samples.items()}
        return [each[start:stop] for each in self._samples]

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the step needs no {name}")
