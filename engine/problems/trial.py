"""Tries out a problem before training: one small batch through model, loss and metrics.

Finds mistakes that would otherwise show in every worker, and reports the facts of the problem.
"""

import math
import warnings
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec
import torch
from torch import Tensor

from engine.audit.loss import audit_loss
from engine.problem import Problem, ProblemError
from engine.problems.checks.values import Tensors, check_values
from engine.settings import DataOn, LossAudit, LossAverage
from engine.training.data.opening import open_source
from engine.training.data.sources import Samples, SampleSource
from engine.training.evaluate import eval_mode
from engine.training.lazy_modules import make_weights
from engine.training.model import Objective, count_parameters, describe

_SAMPLES: Final = 8
Result = TypeVar("Result")


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts about a problem, found by trying it out."""

    n: int
    """Number of training samples."""
    validation_n: int
    """Number of held-out samples, or 0."""
    model: str
    parameters: int
    warnings: tuple[str, ...] = ()
    """Warnings from torch, e.g. about shapes that are broadcast."""
    average: LossAverage | None = None
    """The quantity that the loss is averaged over."""
    audit: LossAudit | None = None
    """The comparison of the loss with its parts' losses; None if there are too few samples."""


def try_out(
    problem: Problem, seed: int, device: torch.device, *, audit_seconds: float = math.inf
) -> Facts:
    """Compute a small batch of training data and one of validation data; raises what is wrong.

    `audit_seconds` limits the audit of the loss, which uses fewer samples if it would take longer.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", UserWarning)
        torch.manual_seed(seed)
        objective = Objective(problem, device)
        source = _source(problem, problem.train, seed, device)
        make_weights(objective, source)
        found = check_values(problem, lambda samples: _forward(objective, samples))
        _loss(objective, _first(source)).backward()  # type: ignore[no-untyped-call]
        objective.zero_grad()
        audit = audit_loss(objective, source, audit_seconds)
        validation_n = 0
        if problem.validation is not None:
            held_out = _source(problem, problem.validation, seed, device)
            validation_n = held_out.n
            with eval_mode(objective.model):
                _check_metrics(objective, _first(held_out))
    return Facts(
        n=source.n,
        validation_n=validation_n,
        model=describe(objective.model),
        parameters=count_parameters(objective.model),
        warnings=(*found, *dict.fromkeys(" ".join(str(each.message).split()) for each in caught)),
        average=objective.average.described,
        audit=audit,
    )


def _source(problem: Problem, data: Any, seed: int, device: torch.device) -> SampleSource:
    return open_source(
        data,
        device,
        seed=seed,
        data_on=DataOn.AUTO,
        loader_workers=0,
        collate=problem.collate,
        is_trial=True,
    )


def _first(source: SampleSource) -> Samples:
    samples, _ = next(iter(source.sweep(min(_SAMPLES, source.n))))
    return samples


def _forward(objective: Objective, samples: Tensors) -> tuple[Any, Any]:
    """Output and target of some samples, in eval mode: one sample is a batch, too."""
    device = objective.device
    with eval_mode(objective.model):
        if isinstance(samples, dict):
            return objective.outcome({key: each.to(device) for key, each in samples.items()})
        return objective.outcome(tuple(each.to(device) for each in samples))


def _loss(objective: Objective, samples: Samples) -> Tensor:
    """The loss of these samples; ProblemError if it is not a differentiable number."""
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
    _check_weight(objective, output, target)
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
        if isinstance(value, tuple) and len(value) == 2:
            _check_number(f"metrics: the weight of {name!r}", value[1], metric)
            value = value[0]
        _check_number(f"metrics: {name!r}", value, metric)


def _check_weight(objective: Objective, output: Any, target: Any) -> None:
    """Check that the problem's weight for its loss, if it has one, is a number from 0."""
    given = objective.problem.weight
    if not callable(given):
        return
    weight = _noting("in the weight of the loss", given, given, output, target)
    if not _check_number("weight", weight, given) >= 0:
        raise ProblemError("weight must return a number ≥ 0", about=given)


def _check_number(name: str, value: Any, about: Callable[..., Any]) -> float:
    """The value as a number; ProblemError if it is not a number."""
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError):
        is_tensor = isinstance(value, Tensor)
        what = f"a tensor of shape {_shapes(value)}" if is_tensor else type(value).__name__
        raise ProblemError(f"{name} must return one number, not {what}", about=about) from None


def _noting(note: str, about: object, call: Callable[..., Result], *arguments: Any) -> Result:
    """Call; on an exception, note what was being done and with which function of the problem."""
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
