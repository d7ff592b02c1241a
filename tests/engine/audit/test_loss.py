"""The audit of a loss: what it flags, what it does not, and what it says."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import Dataset
from weighted_losses import CLASS_WEIGHTS, PROBLEMS, masked_mean, regression, tokens

from engine.audit.loss import audit_loss
from engine.problem import Problem
from engine.settings import DataOn, LossAudit, LossKind
from engine.training.data.opening import open_source
from engine.training.model import Objective

CPU = torch.device("cpu")
GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(400, 8, generator=GENERATOR)
NEAR = X + 0.1 * torch.randn(400, 8, generator=GENERATOR)
RARE = (X.sum(1) > 5).long()


def audited(problem: Problem, **more: Any) -> LossAudit:
    torch.manual_seed(0)
    objective = Objective(problem, CPU)
    source = open_source(
        problem.train, CPU, seed=0, data_on=DataOn.AUTO, loader_workers=0, is_trial=True
    )
    found = audit_loss(objective, source, **more)
    assert found is not None
    return found


def contrastive(output: Tensor, target: Tensor) -> Tensor:
    """Each sample against all others of its batch (InfoNCE)."""
    alike = functional.normalize(output, dim=1) @ functional.normalize(target, dim=1).T
    return functional.cross_entropy(alike / 0.1, torch.arange(len(alike)))


def spread(output: Tensor, target: Tensor) -> Tensor:
    """A loss relative to the batch's own variance."""
    return ((output - target) ** 2).mean() / target.var()


def problem(
    loss: Any,
    target: Tensor = NEAR,
    model: Callable[[], nn.Module] = lambda: nn.Linear(8, 8),
) -> Problem:
    return Problem(train=(X, target), model=model, loss=loss)


FLAGGED: dict[str, tuple[Problem, LossKind, str]] = {
    "token mean": (
        tokens(lambda o, t: functional.cross_entropy(o, t)),
        LossKind.AVERAGE,
        "weight=lambda output, target: (target != -100).sum()",
    ),
    "padding": (
        tokens(lambda o, t: functional.cross_entropy(o, t, ignore_index=0), ignored=0),
        LossKind.AVERAGE,
        "weight=lambda output, target: (target != 0).sum()",
    ),
    "class weights": (
        tokens(lambda o, t: functional.cross_entropy(o, t, CLASS_WEIGHTS)),
        LossKind.AVERAGE,
        "weight=…",
    ),
    "a rare class": (
        problem(lambda o, t: functional.cross_entropy(o[:, :2], t, torch.tensor([1.0, 9.0])), RARE),
        LossKind.AVERAGE,
        "weight=…",
    ),
    "a mean of one's own": (
        tokens(masked_mean),
        LossKind.AVERAGE,
        "weight=lambda output, target: (target != -100).sum()",
    ),
    "sum": (regression(lambda o, t: ((o - t) ** 2).sum()), LossKind.SUM, 'weight="sum"'),
    "contrastive": (problem(contrastive), LossKind.BATCH, ""),
    "relative to the batch": (problem(spread), LossKind.BATCH, ""),
}


@pytest.mark.parametrize("most_seconds", [0.0, 60.0], ids=["of 4", "of 16"])
@pytest.mark.parametrize("name", FLAGGED)
def test_what_is_not_its_weighted_parts_is_flagged(name: str, most_seconds: float) -> None:
    wrong, kind, remedy = FLAGGED[name]
    found = audited(wrong, most_seconds=most_seconds)
    assert (found.kind, found.remedy) == (kind, remedy)
    assert found.is_big_batch is False
    assert found.gap is None or found.gap > 1e-3
    assert (found.samples, found.part) == ((4, 1) if most_seconds == 0 else (16, 4))
    assert "not the big batch" in found.sentence
    assert remedy in found.sentence


def test_a_weight_that_is_not_the_loss_s_is_flagged() -> None:
    wrong = tokens(masked_mean, weight=lambda output, target: (target == 1).sum() + 1)
    assert audited(wrong).kind is LossKind.AVERAGE


class Labelled(Dataset[Any]):
    """Samples as dicts."""

    def __len__(self) -> int:
        return 50

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"inputs": X[index], "y": NEAR[index], "name": f"sample {index}"}


class Named(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(8, 8)

    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        return {"logits": self.inner(inputs)}


CONTROLS: dict[str, Callable[[], Problem]] = {
    **PROBLEMS,
    "BatchNorm and dropout": lambda: problem(
        nn.MSELoss(),
        model=lambda: nn.Sequential(
            nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 8)
        ),
    ),
    "bfloat16": lambda: problem(
        lambda o, t: functional.mse_loss(o.float(), t),
        model=lambda: nn.Sequential(nn.Linear(8, 64), Cast(), nn.Linear(64, 8).bfloat16()),
    ),
    "binary": lambda: problem(
        lambda o, t: functional.binary_cross_entropy_with_logits(o[:, 0], t.float()), RARE
    ),
    "dicts": lambda: Problem(
        train=Labelled(),
        model=Named,
        loss=lambda o, batch: functional.mse_loss(o["logits"], batch["y"]),
    ),
}


class Cast(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.bfloat16()


@pytest.mark.parametrize("most_seconds", [0.0, 60.0], ids=["of 4", "of 16"])
@pytest.mark.parametrize("name", CONTROLS)
def test_what_is_its_weighted_parts_is_not_flagged(name: str, most_seconds: float) -> None:
    if name == "gpt2":
        pytest.importorskip("transformers")
    found = audited(CONTROLS[name](), most_seconds=most_seconds)
    assert (found.kind, found.is_big_batch) == (LossKind.EXACT, True), found
    assert found.sentence.endswith("accumulated batches and micro-batches equal the big batch")


class Noisy(nn.Module):
    """Draws at random in eval mode, too."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x) + torch.randn(len(x), 8)


def only_of_many(output: Tensor, target: Tensor) -> Tensor:
    if len(output) < 16:
        raise ValueError("it takes 16 samples")
    return functional.mse_loss(output, target)


@pytest.mark.parametrize(
    ("unclear", "why"),
    [
        (problem(nn.MSELoss(), model=Noisy), "random even in eval mode"),
        (problem(only_of_many), "ValueError: it takes 16 samples"),
        (problem(lambda o, t: functional.mse_loss(o, t) / 0), "it is inf"),
    ],
)
def test_what_cannot_be_compared_is_not_judged(unclear: Problem, why: str) -> None:
    found = audited(unclear)
    assert (found.kind, found.is_big_batch) == (LossKind.UNKNOWN, None)
    assert why in found.sentence


def test_too_few_samples_are_not_audited() -> None:
    few = Problem(train=(X[:3], NEAR[:3]), model=lambda: nn.Linear(8, 8), loss=functional.mse_loss)
    source = open_source(
        few.train, CPU, seed=0, data_on=DataOn.AUTO, loader_workers=0, is_trial=True
    )
    assert audit_loss(Objective(few, CPU), source) is None


def test_it_draws_nothing_and_leaves_the_model_in_training() -> None:
    objective = Objective(CONTROLS["BatchNorm and dropout"](), CPU)
    source = open_source(
        (X, NEAR), CPU, seed=0, data_on=DataOn.AUTO, loader_workers=0, is_trial=True
    )
    before = {name: each.clone() for name, each in objective.model.state_dict().items()}
    state = torch.get_rng_state()
    audit_loss(objective, source)
    assert torch.equal(state, torch.get_rng_state())
    assert objective.model.training
    after = objective.model.state_dict()
    assert all(torch.equal(each, after[name]) for name, each in before.items())
