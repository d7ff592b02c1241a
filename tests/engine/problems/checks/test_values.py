"""Values that nothing can be trained on: array, sample, column, number; labels out of range."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine.problem import Problem, ProblemError
from engine.problems.checks.values import find_bad
from engine.problems.trial import try_out

CPU = torch.device("cpu")


def linear(outputs: int) -> Callable[[], nn.Module]:
    return lambda: nn.Linear(3, outputs)


def regression(x: Any, y: Any, **fields: Any) -> Problem:
    return Problem(train=(x, y), model=linear(1), loss=nn.functional.mse_loss, **fields)


def data(n: int = 40) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.ones(n, 3), torch.zeros(n, 1)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_inputs_that_are_not_finite_are_told(value: float) -> None:
    x, y = data()
    x[17, 2] = x[30, 0] = value
    said = r"train\[0\]: 2 values are not finite, the first is .* at sample 17, column 2 "
    with pytest.raises(ProblemError, match=said):
        try_out(regression(x, y), 0, CPU)


def test_targets_arrays_and_held_out_samples_are_looked_at() -> None:
    x, y = data()
    y[3] = float("nan")
    with pytest.raises(ProblemError, match=r"train\[1\]: 1 value is not finite.*sample 3, column"):
        try_out(regression(x, y), 0, CPU)
    held_out = x.numpy().copy()
    held_out[39, 1] = np.nan
    with pytest.raises(ProblemError, match=r"validation\[0\]: 1 value .* the loss of held-out sam"):
        try_out(regression(x, data()[1], validation=(held_out, data()[1].numpy())), 0, CPU)


def test_the_tensors_of_a_mapping_are_named_by_their_keys() -> None:
    class Named(nn.Linear):
        def forward(self, features: torch.Tensor) -> torch.Tensor:
            return super().forward(features)

    def loss(output: torch.Tensor, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        return nn.functional.mse_loss(output, batch["y"])

    for name, at, said in (
        ("features", (17, 2), r"train\['features'\]: 1 value .* at sample 17, column 2 "),
        (
            "y",
            (3, 0),
            r"train\['y'\]: 1 value .* nan at sample 3, column 0",
        ),
    ):
        named = dict(zip(("features", "y"), data(), strict=True))
        named[name][at] = float("nan")
        with pytest.raises(ProblemError, match=said):
            try_out(Problem(train=named, model=lambda: Named(3, 1), loss=loss), 0, CPU)


def test_a_model_that_can_take_them_is_left_to_it() -> None:
    class Mending(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x.nan_to_num())

    x, y = data()
    x[5] = float("nan")
    problem = Problem(train=(x, y), model=lambda: Mending(3, 1), loss=nn.functional.mse_loss)
    (note,) = try_out(problem, 0, CPU).warnings
    assert note.startswith("train[0]: 3 values are not finite, the first is nan at sample 5")
    assert note.endswith("the loss of that sample is finite all the same")


@pytest.mark.parametrize(
    ("labels", "loss", "said"),
    [
        ({9: 12}, nn.CrossEntropyLoss(), "label 12 of sample 9 is out of range: the model has 4"),
        ({39: 4, 38: 5}, nn.functional.cross_entropy, r"label 5 of sample 38 \(and 1 more\)"),
        ({2: -1}, nn.CrossEntropyLoss(), "the loss ignores -100 only: ignore_index=-1 ignores"),
        ({2: -100}, partial(nn.functional.cross_entropy, ignore_index=-1), "label -100 of sample"),
    ],
)
def test_labels_out_of_range_are_told(labels: dict[int, int], loss: Any, said: str) -> None:
    y = torch.zeros(40, dtype=torch.long)
    for sample, label in labels.items():
        y[sample] = label
    with pytest.raises(ProblemError, match=said):
        try_out(Problem(train=(data()[0], y), model=linear(4), loss=loss), 0, CPU)


@pytest.mark.parametrize(("ignored", "options"), [(-100, {}), (-1, {"ignore_index": -1})])
def test_labels_that_are_ignored_are_told(ignored: int, options: dict[str, int]) -> None:
    y = torch.arange(40) % 4
    y[[3, 8]] = ignored
    loss = nn.CrossEntropyLoss(**options)
    facts = try_out(Problem(train=(data()[0], y), model=linear(4), loss=loss), 0, CPU)
    assert facts.warnings[0] == (
        f"train[1]: 2 labels are {ignored}, which the loss ignores as no target"
    )


def test_what_is_right_is_passed_over() -> None:
    x, y = data()
    assert try_out(regression(x, y, validation=(x, y)), 0, CPU).warnings == ()
    assert find_bad(torch.arange(5)) is None
    assert find_bad(torch.zeros(0, 3)) is None
    assert find_bad(torch.tensor([0.0, float("nan")])).column == 0  # type: ignore[union-attr]
