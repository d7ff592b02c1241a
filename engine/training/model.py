"""A problem's model and loss, called with batches of any supported form."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from engine.problem import Problem, ProblemError
from engine.training.averaging.average import weight_of, without_nothing
from engine.training.averaging.infer import average_of
from engine.training.calling.following import follow
from engine.training.calling.forward import eager, keywords
from engine.training.calling.outputs import labels_of, logits_of, takes_tensors
from engine.training.data.sources import Samples


class Objective:
    """A model with fresh weights on its device, and the loss that training minimises.

    The model is in training mode. Raises ProblemError when the problem makes no torch model.
    """

    def __init__(self, problem: Problem, device: torch.device) -> None:
        model = problem.model()
        if not isinstance(model, nn.Module):
            what = f"model must return a torch.nn.Module, not {type(model).__name__}"
            raise ProblemError(what, about=problem.model)
        self.problem = problem
        self.device = device
        self.bytes_per_sample: int | None = None
        """Bytes of the largest output of a layer, once it is known."""
        for function in (problem.loss, problem.weight, *problem.metrics.values()):
            follow(function, device)  # class weights, for example
        self._loss = problem.loss
        self._unwraps = takes_tensors(problem.loss)
        self.average = average_of(problem, model)
        """The quantity that the loss is averaged over."""
        self._weigh = self.average.weigh
        self._keywords: tuple[str, ...] | None = None
        self._hold(model.to(device).train())

    def _hold(self, model: nn.Module) -> None:
        self.model = model
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        """The trained parameters."""

    def has_finite_weights(self) -> bool:
        """True if every trained parameter is finite; waits for the device."""
        weights = [parameter.detach() for parameter in self.parameters]
        # A sum takes no memory; it may overflow where the weights are finite.
        if bool(torch.stack([each.sum().isfinite() for each in weights]).all()):
            return True
        return bool(torch.stack([each.isfinite().all() for each in weights]).all())

    @property
    def size(self) -> int:
        """Number of trained parameters."""
        return sum(parameter.numel() for parameter in self.parameters)

    def with_model(self, model: nn.Module) -> "Objective":
        """The same objective with another model of the same kind, without gradients."""
        twin = copy.copy(self)
        twin._hold(model)
        twin.zero_grad()
        return twin

    def loss(self, samples: Samples) -> Tensor:
        """Loss of a batch, to be differentiated."""
        return self._loss(*self.outcome(samples))

    def weighed_loss(self, samples: Samples) -> tuple[Tensor, Tensor | None]:
        """Differentiable loss of a batch, and its weight: None if that is the number of samples.

        A loss without weight is 0, and so are its gradients.
        """
        output, target = self.outcome(samples)
        loss = self._loss(output, target)
        return (loss, None) if self._weigh is None else self.weighed(loss, output, target)

    def weighed(self, loss: Tensor, output: Any, target: Any) -> tuple[Tensor, Tensor | None]:
        """The given loss of an outcome and its weight, as `weighed_loss` returns them."""
        if self._weigh is None:
            return loss, None
        weight = weight_of(self._weigh(loss, output, target), loss)
        return without_nothing(loss, weight, output), weight

    def outcome(self, samples: Samples) -> tuple[Any, Any]:
        """The model's output for a batch, and the target to compare it with."""
        if isinstance(samples, dict):
            if self._keywords is None:
                self._keywords = keywords(self.model, samples)
            output = self.model(**{name: samples[name] for name in self._keywords})
            target = labels_of(samples) if self._unwraps else samples
        else:
            *inputs, target = samples
            output = self.model(*inputs)
        if self._unwraps and not isinstance(output, Tensor):
            output = logits_of(output)
        return output, target

    def zero_grad(self) -> None:
        """Discard the gradients accumulated so far."""
        # optimizer.zero_grad() does the same with 2 µs of bookkeeping: 2% of a one-sample update.
        for parameter in self.parameters:
            parameter.grad = None


def describe(model: nn.Module) -> str:
    """A short description of a model, such as "Linear(10,1)"."""
    model = eager(model)
    if isinstance(model, nn.Linear):
        return f"Linear({model.in_features},{model.out_features})"
    return type(model).__name__


def count_parameters(model: nn.Module) -> int:
    """The number of parameters, trained or frozen."""
    return sum(parameter.numel() for parameter in model.parameters())
