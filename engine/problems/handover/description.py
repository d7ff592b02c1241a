"""The description of one of gdtui's own problems: everything but its data, without code."""

from pathlib import Path
from typing import Any, Final

import msgspec

from engine.problem import Problem
from engine.problems.parts import losses
from engine.problems.parts.factories import AnyFactory

_DESCRIPTION: Final = "problem.msgpack"
_Metric = str | losses.AbsoluteError


class ProblemDescription(msgspec.Struct, frozen=True, kw_only=True):
    """One of gdtui's own problems without its data, in the form handed to workers."""

    model: AnyFactory
    loss: str
    """A name in `losses.BY_NAME`, as in `metrics`."""
    metrics: dict[str, _Metric]

    def problem(self, train: Any, validation: Any) -> Problem:
        """The problem with these data."""
        return Problem(
            train=train,
            validation=validation,
            model=self.model,
            loss=losses.BY_NAME[self.loss],
            metrics={
                name: losses.BY_NAME[metric] if isinstance(metric, str) else metric
                for name, metric in self.metrics.items()
            },
        )


def describe(problem: Problem) -> ProblemDescription | None:
    """The description of a problem that consists of gdtui's own parts; None for any other."""
    metrics = {name: _named(metric) for name, metric in problem.metrics.items()}
    loss = _named(problem.loss)
    if not isinstance(problem.model, AnyFactory) or not isinstance(loss, str):
        return None
    known = {name: metric for name, metric in metrics.items() if metric is not None}
    if problem.optimizer is not None or problem.collate is not None or len(known) < len(metrics):
        return None
    return ProblemDescription(model=problem.model, loss=loss, metrics=known)


def _named(function: Any) -> _Metric | None:
    if isinstance(function, losses.AbsoluteError):
        return function
    return next((name for name, known in losses.BY_NAME.items() if known is function), None)


def store_description(problem: Problem, place: Path) -> None:
    """Store everything but the data, if possible; workers then need not run a user's file."""
    if (description := describe(problem)) is not None:
        (place / _DESCRIPTION).write_bytes(msgspec.msgpack.encode(description))


def stored_description(place: Path) -> ProblemDescription | None:
    """The description that was handed over; None if there is none."""
    try:
        data = (place / _DESCRIPTION).read_bytes()
    except FileNotFoundError:
        return None
    return msgspec.msgpack.decode(data, type=ProblemDescription)
