"""Tries a problem out before anything is trained: one small batch through model, loss and metrics.

Finds the mistakes that would otherwise show in every worker, and says what the problem is.
"""

import warnings
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec
import torch
from torch import Tensor

from engine.problem import Problem, ProblemError
from engine.settings import DataOn
from engine.training.data.sources import Samples, open_source
from engine.training.evaluate import eval_mode
from engine.training.model import Objective, count_parameters, describe

_SAMPLES: Final = 8
Result = TypeVar("Result")


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of a problem that its loader found."""

    n: int
    """Samples to train on."""
    validation_n: int
    """Samples held out; 0 without any."""
    model: str
    parameters: int
    warnings: tuple[str, ...] = ()
    """Torch's warnings: shapes that are broadcast, for example."""


def try_out(problem: Problem, seed: int, device: torch.device) -> Facts:
    """Compute one small training batch and one of validation. Raises what is wrong."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", UserWarning)
        torch.manual_seed(seed)
        objective = Objective(problem, device)
        n, samples = _first(problem.train, seed, device)
        _loss(objective, samples).backward()  # type: ignore[no-untyped-call]
        validation_n = 0
        if problem.validation is not None:
            validation_n, samples = _first(problem.validation, seed, device)
            with eval_mode(objective.model):
                _check_metrics(objective, samples)
    return Facts(
        n=n,
        validation_n=validation_n,
        model=describe(objective.model),
        parameters=count_parameters(objective.model),
        warnings=tuple(dict.fromkeys(" ".join(str(each.message).split()) for each in caught)),
    )


def _first(data: Any, seed: int, device: torch.device) -> tuple[int, Samples]:
    source = open_source(
        data, device, seed=seed, data_on=DataOn.AUTO, loader_workers=0, is_trial=True
    )
    samples, _ = next(iter(source.sweep(min(_SAMPLES, source.n))))
    return source.n, samples


def _loss(objective: Objective, samples: Samples) -> Tensor:
    """The loss, if it is one."""
    output, target = _outcome(objective, samples)
    about = objective.problem.loss
    loss = _noting(
        f"in the loss of {_shapes(output)} against {_shapes(target)}", about, about, output, target
    )
    if not isinstance(loss, Tensor):
        raise ProblemError(f"loss must return a tensor, not {type(loss).__name__}", about=about)
    if loss.numel() != 1 or loss.ndim:
        raise ProblemError(
            f"loss must return one number, not a tensor of shape {_shapes(loss)}: take its mean",
            about=about,
        )
    if not loss.requires_grad:
        raise ProblemError(
            "loss does not depend on the model's weights: was it detached?", about=about
        )
    return loss


def _outcome(objective: Objective, samples: Samples) -> tuple[Any, Any]:
    inputs = samples if isinstance(samples, dict) else samples[:-1]
    about = objective.problem.model
    return _noting(f"in the model, given {_shapes(inputs)}", about, objective.outcome, samples)


def _check_metrics(objective: Objective, samples: Samples) -> None:
    output, target = _outcome(objective, samples)
    loss = objective.problem.loss
    _noting("in the loss of held-out samples", loss, loss, output, target)
    for name, metric in objective.problem.metrics.items():
        value = _noting(f"in the metric {name!r}", metric, metric, output, target)
        try:
            float(value)
        except (TypeError, ValueError, RuntimeError):
            what = (
                f"a tensor of shape {_shapes(value)}"
                if isinstance(value, Tensor)
                else type(value).__name__
            )
            raise ProblemError(
                f"metrics: {name!r} must return one number, not {what}", about=metric
            ) from None


def _noting(note: str, about: object, call: Callable[..., Result], *arguments: Any) -> Result:
    """Call; note on an exception what was being done, and with which function of the problem."""
    try:
        return call(*arguments)
    except Exception as error:
        error.add_note(note)
        if not hasattr(error, "about"):
            error.about = about  # type: ignore[attr-defined]
        raise


def _shapes(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"({', '.join(map(str, value.shape))})"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shapes(each)}" for name, each in value.items())
    if isinstance(value, tuple | list):
        return ", ".join(map(_shapes, value))
    return type(value).__name__
