"""Small problems in float64, with unusual models and optimisers, to compile. Measures nothing."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.problem import Problem
from engine.problems.registry import load


def wide(problem: Problem, samples: int | None = None) -> Problem:
    """The problem in float64, with as many of its samples as are wanted."""
    tensors = [torch.as_tensor(each)[:samples] for each in problem.train]
    data = tuple(each.double() if each.is_floating_point() else each for each in tensors)
    return replace(problem, train=data, validation=None, model=lambda: problem.model().double())


def built_in(name: str, samples: int | None = None) -> Problem:
    return wide(load(name, 0), samples)


def narrow(name: str, samples: int | None = None) -> Problem:
    """A built-in problem in float32."""
    problem = load(name, 0)
    return replace(problem, train=tuple(each[:samples] for each in problem.train), validation=None)


def ignored_tokens() -> Problem:
    """char-lm with every third target ignored, and a whole run of samples, so that weights vary."""
    problem = built_in("char-lm", 400)
    inputs, target = problem.train
    target = target.clone()
    target[:, ::3] = -100
    target[40:75] = -100
    return replace(
        problem,
        train=(inputs, target),
        loss=_token_loss,
        weight=lambda output, target: (target != -100).sum(),
    )


def _token_loss(output: Tensor, target: Tensor) -> Tensor:
    return functional.cross_entropy(output.flatten(0, 1), target.flatten())


def regression(model: Callable[[], nn.Module], n: int = 203, **options: Any) -> Problem:
    """A regression on samples of 8 features."""
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(n, 8, generator=generator, dtype=torch.float64)
    target = (inputs[:, :4].sum(1, keepdim=True) * inputs[:, 4:5]).sin()
    return Problem(
        train=(inputs, target),
        model=lambda: model().double(),
        loss=functional.mse_loss,
        **options,
    )


def layers(*makers: Callable[[], nn.Module], **options: Any) -> Problem:
    return regression(lambda: nn.Sequential(*(make() for make in makers)), **options)


class Tied(nn.Module):
    """A weight used twice, a layer with two names, a number as weight, frozen and unused layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 1)
        self.second.weight = self.first.weight
        self.scale = nn.Parameter(torch.tensor(0.5))
        self.frozen = nn.Linear(8, 8).requires_grad_(False)
        self.unused = nn.Linear(3, 3)
        self.norm = self.again = nn.BatchNorm1d(8)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.scale * self.second(self.first(self.again(inputs)).tanh())
        output: Tensor = self.last(self.frozen(hidden))
        return output


class Recurrent(nn.Module):
    """The features one by one through an LSTM."""

    def __init__(self, kind: type[nn.Module] = nn.LSTM) -> None:
        super().__init__()
        self.recurrent = kind(1, 6, batch_first=True)  # type: ignore[call-arg]
        self.head = nn.Linear(6, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        output: Tensor = self.head(self.recurrent(inputs.unsqueeze(2))[0][:, -1])
        return output


class Noisy(nn.Module):
    """Draws of several kinds in the forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.head = nn.Linear(8, 8), nn.Linear(8, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.layer(inputs + 0.1 * torch.randn_like(inputs))
        hidden = hidden * (torch.rand(8, dtype=hidden.dtype) > 0.2)
        output: Tensor = self.head(functional.gelu(hidden))
        return output


class Averaged(nn.Module):
    """Keeps a moving average of what it has seen, in a buffer that it replaces."""

    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(8))
        self.head = nn.Linear(8, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        self.seen = 0.9 * self.seen + 0.1 * inputs.detach().mean(0)
        output: Tensor = self.head(inputs - self.seen)
        return output


class Branching(nn.Module):
    """A path that depends on the values of the inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(8, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        output: Tensor = self.head(inputs)
        return output if inputs.mean() > 0 else -output


class Signed(torch.optim.Optimizer):
    """An optimiser that torch does not have."""

    def __init__(self, params: Any, lr: float) -> None:
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.add_(parameter.grad.sign(), alpha=-group["lr"])


def two_groups(params: Any, lr: float) -> torch.optim.Optimizer:
    first, *others = params
    groups = [{"params": [first], "lr": lr / 10}, {"params": others}]
    return torch.optim.SGD(groups, lr=lr, momentum=0.9)


def sparse() -> Problem:
    generator = torch.Generator().manual_seed(1)
    words = torch.randint(0, 20, (203, 5), generator=generator)
    return Problem(
        train=(words, words[:, :1].double()),
        model=lambda: nn.EmbeddingBag(20, 1, sparse=True, mode="sum").double(),
        loss=functional.mse_loss,
    )


def mlp(activation: Callable[[], nn.Module] = nn.Tanh) -> Problem:
    return layers(lambda: nn.Linear(8, 16), activation, lambda: nn.Linear(16, 1))


def norm_layers(norm: Callable[[], nn.Module]) -> Problem:
    return layers(lambda: nn.Linear(8, 8), norm, nn.ReLU, lambda: nn.Linear(8, 1))


def weight_norm() -> Problem:
    normed = nn.utils.parametrizations.weight_norm
    return layers(lambda: normed(nn.Linear(8, 8)), nn.Tanh, lambda: nn.Linear(8, 1))


def spectral_norm() -> Problem:
    normed = nn.utils.parametrizations.spectral_norm
    return layers(lambda: normed(nn.Linear(8, 8)), nn.Tanh, lambda: nn.Linear(8, 1))
