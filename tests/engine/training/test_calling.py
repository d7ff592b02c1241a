"""Models that return objects or tuples, compute their loss themselves, or were compiled."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine import Problem
from engine.problem import ProblemError
from engine.problems.trial import try_out
from engine.settings import VariantSettings
from engine.training.calling.forward import keywords
from engine.training.model import Objective, describe
from engine.training.trainer import Trainer

CPU, META = torch.device("cpu"), torch.device("meta")
N = 20
X = torch.randn(N, 4, generator=torch.Generator().manual_seed(0))
LABELS = (torch.arange(N) * 7 % 3).where(torch.arange(N) % 4 > 0, torch.tensor(-100))
ROWS = {"x": X, "labels": LABELS}
CHECKED = {"batch_size": 8, "accumulation_steps": 2, "lr": 0.1}


@dataclass
class Output:
    """An object that is neither a tuple nor a mapping."""

    logits: Tensor
    loss: Tensor | None = None


Wrap = Callable[[Tensor, Tensor | None], Any]
WRAPS: dict[str, Wrap] = {
    "an object": lambda logits, loss: Output(logits, loss),
    "a mapping": lambda logits, loss: {"loss": loss, "logits": logits},
    "a tuple": lambda logits, loss: (logits, loss) if loss is None else (loss, logits, {"h": 1}),
}


class Net(nn.Module):
    """Returns its logits, and its loss where it is given labels, wrapped."""

    def __init__(self, wrap: Wrap) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 3)
        self.wrap = wrap

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Any:
        logits = self.layer(x)
        loss = None if labels is None else functional.cross_entropy(logits, labels)
        return self.wrap(logits, loss)


def weights(problem: Problem) -> Tensor:
    """The weights after an epoch of accumulated batches."""
    trainer = Trainer(problem, VariantSettings(**CHECKED), 0, CPU)
    while trainer.epoch < 1 or not trainer.at_epoch_end:
        trainer.advance(100)
    return torch.from_numpy(trainer.weights())


def reference() -> Tensor:
    """The weights that a model of plain tensors ends at."""
    return weights(
        Problem(train=(X, LABELS), model=lambda: nn.Linear(4, 3), loss=functional.cross_entropy)
    )


@pytest.mark.parametrize("train", [(X, LABELS), ROWS], ids=["tensors", "names"])
@pytest.mark.parametrize("wrap", WRAPS)
@pytest.mark.parametrize("is_module", [False, True])
def test_torchs_losses_take_the_logits_of_any_output(
    wrap: str, train: Any, is_module: bool
) -> None:
    loss = nn.CrossEntropyLoss() if is_module else functional.cross_entropy
    problem = Problem(
        train=train,
        validation=train,
        model=lambda: Net(WRAPS[wrap]),
        loss=loss,
        metrics={"share": lambda output, target: (output.argmax(1) == target).float().mean()},
    )
    torch.testing.assert_close(weights(problem), reference())
    assert try_out(problem, 0, CPU).validation_n == N


@pytest.mark.parametrize("wrap", WRAPS)
def test_a_models_own_loss_is_the_default(wrap: str) -> None:
    problem = Problem(
        train=ROWS,
        model=lambda: Net(WRAPS[wrap]),
        weight=lambda output, target: (target["labels"] != -100).sum(),
    )
    torch.testing.assert_close(weights(problem), reference())


def test_batches_that_count_for_nothing_leave_objects_finite() -> None:
    problem = Problem(
        train=(X, torch.full((N,), -100)),
        model=lambda: Net(WRAPS["an object"]),
        loss=lambda output, target: functional.cross_entropy(output.logits, target),
        weight=lambda output, target: (target != -100).sum(),
    )
    assert weights(problem).isfinite().all()


def test_without_any_loss_it_says_what_to_give() -> None:
    problem = Problem(train=(X, LABELS), model=lambda: nn.Linear(4, 3))
    with pytest.raises(ProblemError, match=r"Tensor, holds no loss: give Problem\(loss=…\)"):
        try_out(problem, 0, CPU)


# --- Arguments by name --------------------------------------------------------------------------


class Wrapper(nn.Module):
    """Passes on whatever it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Net(WRAPS["a mapping"])

    def forward(self, *args: Any, **named: Any) -> Any:
        return self.inner(*args, **named)


def test_a_wrapper_gets_all_names() -> None:
    assert keywords(Wrapper(), ROWS) == ("x", "labels")
    with pytest.raises(ProblemError, match="forward takes x"):
        keywords(Net(WRAPS["a mapping"]), {"labels": LABELS})


@pytest.mark.parametrize("is_in_place", [False, True])
def test_compiled_models_get_batches_by_name(is_in_place: bool) -> None:
    def compiled() -> Any:
        net = Net(WRAPS["a mapping"])
        if is_in_place:
            net.compile(backend="eager")
            return net
        return torch.compile(net, backend="eager")

    problem = Problem(
        train=ROWS,
        model=compiled,
        weight=lambda output, target: (target["labels"] != -100).sum(),
    )
    torch.testing.assert_close(weights(problem), reference())
    assert try_out(problem, 0, CPU).model == describe(compiled()) == "Net"
    assert Trainer(problem, VariantSettings(**CHECKED), 0, CPU).full_loss() > 0


# --- To the device ------------------------------------------------------------------------------


class Held:
    """A loss that is no module, but holds one, and a tensor."""

    def __init__(self) -> None:
        self.inner = nn.CrossEntropyLoss(weight=torch.ones(3))
        self.scale = torch.ones(())

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        return self.inner(output, target) * self.scale


def in_closure() -> tuple[Any, nn.CrossEntropyLoss]:
    criterion = nn.CrossEntropyLoss(weight=torch.ones(3))
    return lambda output, target: criterion(output, target), criterion


def test_losses_and_metrics_follow_the_model_with_what_they_hold() -> None:
    closure, closed_over = in_closure()
    module, method = nn.NLLLoss(weight=torch.ones(3)), nn.NLLLoss(weight=torch.ones(3))
    part = partial(functional.cross_entropy, weight=torch.ones(3))
    held = Held()
    for loss in (module, part, held, closure, method.forward):
        metrics = {"module": nn.NLLLoss(weight=torch.ones(3)), "partial": partial(module)}
        problem = Problem(
            train=(X, LABELS), model=lambda: nn.Linear(4, 3), loss=loss, metrics=metrics
        )
        Objective(problem, META)
        assert metrics["module"].weight.device == META  # type: ignore[attr-defined, union-attr]
    found = (
        module.weight, part.keywords["weight"], held.inner.weight, held.scale,
        closed_over.weight, method.weight,
    )  # fmt: skip
    assert {tensor.device for tensor in found if tensor is not None} == {META}
