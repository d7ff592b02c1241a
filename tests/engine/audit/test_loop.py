"""The audit of a training loop: wrong ones are found and named, right ones pass."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import Dataset

from engine.audit.loop import audit
from engine.audit.mistakes import Mistake
from engine.problem import ProblemError

GENERATOR = torch.Generator().manual_seed(0)
N = 3 * 64 + 21
"""Three full groups, then two full batches and a short one."""
X = torch.randn(N, 10, generator=GENERATOR)
Y = (X.sum(1) > 0.5).long() + (X[:, 0] > 1).long()
IDS = torch.randint(1, 7, (N, 6), generator=GENERATOR)
LENGTHS = torch.randint(1, 7, (N, 1), generator=GENERATOR)
NEXT = IDS.roll(-1, 1).masked_fill(torch.arange(6) >= LENGTHS, -100)
CLASS_WEIGHTS = torch.tensor([1.0, 9.0, 3.0])
cross_entropy = functional.cross_entropy


def classifier() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(10, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3)
    )


class Tokens(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.inner = nn.Sequential(nn.Embedding(7, 8), nn.Linear(8, 7))

    def forward(self, ids: Tensor) -> Tensor:
        return self.inner(ids).transpose(1, 2)


def groups(batches: Any, k: int) -> Iterator[Any]:
    for start in range(0, len(batches), k):
        yield batches[start : start + k]


# --- Wrong loops --------------------------------------------------------------------------------


def divided_by_k(model: nn.Module, optimizer: Any, batches: Any, k: int) -> list[float]:
    losses = []
    for number, (x, y) in enumerate(batches, start=1):
        loss = cross_entropy(model(x), y)
        (loss / k).backward()
        losses.append(loss.item())
        if number % k == 0 or number == len(batches):
            optimizer.step()
            optimizer.zero_grad()
    return losses


def never_flushed(model: nn.Module, optimizer: Any, batches: Any, k: int) -> list[float]:
    losses = []
    for number, (x, y) in enumerate(batches, start=1):
        loss = cross_entropy(model(x), y)
        (loss / k).backward()
        losses.append(loss.item())
        if number % k == 0:
            optimizer.step()
            optimizer.zero_grad()
    return losses


def thrown_away(model: nn.Module, optimizer: Any, batches: Any, k: int) -> None:
    never_flushed(model, optimizer, batches, k)
    optimizer.zero_grad()


def mean_of_means(model: nn.Module, optimizer: Any, batches: Any, k: int) -> list[float]:
    losses = []
    for group in groups(batches, k):
        optimizer.zero_grad()
        for x, y in group:
            loss = cross_entropy(model(x), y)
            (loss / len(group)).backward()
            losses.append(loss.item())
        optimizer.step()
    return losses


def by_nominal_samples(model: nn.Module, optimizer: Any, batches: Any, k: int) -> None:
    size = len(batches[0][0])
    for group in groups(batches, k):
        optimizer.zero_grad()
        for x, y in group:
            (cross_entropy(model(x), y) * len(x) / (size * k)).backward()
        optimizer.step()


def by_samples(model: nn.Module, optimizer: Any, batches: Any, k: int, **options: Any) -> None:
    """Right for means over samples; wrong for others."""
    for group in groups(batches, k):
        samples = sum(len(x) for x, _ in group)
        optimizer.zero_grad()
        for x, y in group:
            (cross_entropy(model(x), y, **options) * (len(x) / samples)).backward()
        optimizer.step()


def class_weights_by_samples(model: nn.Module, optimizer: Any, batches: Any, k: int) -> None:
    by_samples(model, optimizer, batches, k, weight=CLASS_WEIGHTS)


def scaled_loss_logged(model: nn.Module, optimizer: Any, batches: Any, k: int) -> list[float]:
    losses = []
    for group in groups(batches, k):
        samples = sum(len(x) for x, _ in group)
        optimizer.zero_grad()
        for x, y in group:
            loss = cross_entropy(model(x), y) * (len(x) / samples)
            loss.backward()
            losses.append(loss.item())
        optimizer.step()
    return losses


def schedule_per_micro_batch(model: nn.Module, optimizer: Any, batches: Any, k: int) -> None:
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    for group in groups(batches, k):
        samples = sum(len(x) for x, _ in group)
        optimizer.zero_grad()
        for place, (x, y) in enumerate(group):
            (cross_entropy(model(x), y) * (len(x) / samples)).backward()
            if place == len(group) - 1:
                optimizer.step()
            schedule.step()


def added(model: nn.Module, optimizer: Any, batches: Any, k: int) -> None:
    for group in groups(batches, k):
        optimizer.zero_grad()
        for x, y in group:
            cross_entropy(model(x), y).backward()
        optimizer.step()


def not_cleared(model: nn.Module, optimizer: Any, batches: Any, k: int) -> None:
    for group in groups(batches, k):
        samples = sum(len(x) for x, _ in group)
        for x, y in group:
            (cross_entropy(model(x), y) * (len(x) / samples)).backward()
        optimizer.step()


def contrastive(model: nn.Module, optimizer: Any, batches: Any, k: int) -> None:
    for group in groups(batches, k):
        optimizer.zero_grad()
        for x, _ in group:
            output = functional.normalize(model(x), dim=1)
            loss = cross_entropy(output @ output.T / 0.1, torch.arange(len(x)))
            (loss / len(group)).backward()
        optimizer.step()


def an_update_a_batch(model: nn.Module, optimizer: Any, batches: Any, k: int) -> None:
    for x, y in batches:
        optimizer.zero_grad()
        cross_entropy(model(x), y).backward()
        optimizer.step()


WRONG = {
    mean_of_means: {Mistake.MEAN_OF_MEANS},
    divided_by_k: {Mistake.SHORT_GROUP, Mistake.MEAN_OF_MEANS},
    by_nominal_samples: {Mistake.SHORT_GROUP},
    never_flushed: {Mistake.LEFT_OVER},
    thrown_away: {Mistake.LEFT_OVER},
    class_weights_by_samples: {Mistake.IGNORED_TOKENS},
    scaled_loss_logged: {Mistake.SCALED_LOSS},
    schedule_per_micro_batch: {Mistake.LR_PER_MICRO_BATCH},
    added: {Mistake.NOT_DIVIDED},
    not_cleared: {Mistake.NOT_CLEARED},
    contrastive: {Mistake.WHOLE_BATCH},
    an_update_a_batch: {Mistake.OTHER},
}


@pytest.mark.parametrize("train", WRONG, ids=lambda train: train.__name__)
def test_wrong_loops_are_found_and_named(train: Any) -> None:
    found = audit(train, classifier(), (X, Y))
    assert set(found.mistakes) == WRONG[train]
    assert not found.is_right
    assert all(f"- {mistake}: {mistake.advice}" in str(found) for mistake in found.mistakes)


@pytest.mark.parametrize("train", [mean_of_means, by_samples], ids=lambda train: train.__name__)
def test_tokens_that_are_ignored_are_told_from_short_batches(train: Any) -> None:
    found = audit(train, Tokens(), (IDS, NEXT))
    assert found.mistakes == (Mistake.IGNORED_TOKENS,)
    assert found.gap > 0.01


def test_several_mistakes_are_all_named() -> None:
    def train(model: nn.Module, optimizer: Any, batches: Any, k: int) -> list[float]:
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.9)
        losses = []
        for number, (x, y) in enumerate(batches, start=1):
            loss = cross_entropy(model(x), y) / k
            loss.backward()
            losses.append(loss.item())
            if number % k == 0:
                optimizer.step()
                optimizer.zero_grad()
            schedule.step()
        return losses

    found = audit(train, Tokens(), (IDS, NEXT))
    assert set(found.mistakes) == {
        Mistake.IGNORED_TOKENS,
        Mistake.LEFT_OVER,
        Mistake.SCALED_LOSS,
        Mistake.LR_PER_MICRO_BATCH,
    }


# --- Right loops --------------------------------------------------------------------------------


def logging_updates(model: nn.Module, optimizer: Any, batches: Any, k: int) -> list[float]:
    losses = []
    for group in groups(batches, k):
        samples = sum(len(x) for x, _ in group)
        optimizer.zero_grad()
        total = 0.0
        for x, y in group:
            loss = cross_entropy(model(x), y) * (len(x) / samples)
            loss.backward()
            total += loss.item()
        optimizer.step()
        losses.append(total)
    return losses


def logging_batches(model: nn.Module, optimizer: Any, batches: Any, k: int) -> Tensor:
    model.train()
    losses = []
    for group in groups(batches, k):
        samples = sum(len(x) for x, _ in group)
        for x, y in group:
            loss = cross_entropy(model(x), y)
            losses.append(loss.detach())
            (loss * (len(x) / samples)).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
    return torch.stack(losses)


def sums_divided_once(model: nn.Module, optimizer: Any, batches: Any, k: int) -> float:
    total, count = 0.0, 0
    for group in groups(batches, k):
        samples = 0
        optimizer.zero_grad()
        for x, y in group:
            loss = cross_entropy(model(x), y, reduction="sum")
            loss.backward()
            samples += len(x)
            total += loss.item()
        for parameter in model.parameters():
            parameter.grad /= samples
        optimizer.step()
        count += samples
    return total / count


def with_a_schedule(model: nn.Module, optimizer: Any, batches: Any, k: int) -> None:
    updates = -(-len(batches) // k)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=updates)
    for group in groups(batches, k):
        samples = sum(len(x) for x, _ in group)
        optimizer.zero_grad()
        for x, y in group:
            (cross_entropy(model(x), y) * (len(x) / samples)).backward()
        optimizer.step()
        schedule.step()


def clipped_once(model: nn.Module, optimizer: Any, batches: Any, k: int) -> None:
    for group in groups(batches, k):
        samples = sum(len(x) for x, _ in group)
        optimizer.zero_grad()
        for x, y in group:
            (cross_entropy(model(x), y) * (len(x) / samples)).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.01)
        optimizer.step()


def iterating(model: nn.Module, optimizer: Any, batches: Any, k: int) -> None:
    pending = iter(batches)
    while group := list(itertools.islice(pending, k)):
        samples = sum(len(x) for x, _ in group)
        for x, y in group:
            (cross_entropy(model(x), y) * (len(x) / samples)).backward()
        optimizer.step()
        optimizer.zero_grad()


def by_hand(model: nn.Module, optimizer: Any, batches: Any, k: int) -> None:
    parameters = list(model.parameters())
    for group in groups(batches, k):
        samples = sum(len(x) for x, _ in group)
        sums = [torch.zeros_like(parameter) for parameter in parameters]
        for x, y in group:
            parts = torch.autograd.grad(cross_entropy(model(x), y), parameters)
            for total, part in zip(sums, parts, strict=True):
                total += part * (len(x) / samples)
        for parameter, total in zip(parameters, sums, strict=True):
            parameter.grad = total
        optimizer.step()


def last_group_dropped(model: nn.Module, optimizer: Any, batches: Any, k: int) -> None:
    """As with drop_last: what is not computed is not lost by mistake."""
    for group in groups(batches, k):
        if len(group) < k:
            break
        optimizer.zero_grad()
        for x, y in group:
            (cross_entropy(model(x), y) / k).backward()
        optimizer.step()


def class_weights(model: nn.Module, optimizer: Any, batches: Any, k: int) -> None:
    for group in groups(batches, k):
        weight = sum(CLASS_WEIGHTS[y].sum() for _, y in group)
        optimizer.zero_grad()
        for x, y in group:
            loss = cross_entropy(model(x), y, CLASS_WEIGHTS, reduction="sum")
            (loss / weight).backward()
        optimizer.step()


RIGHT = [
    by_samples,
    logging_updates,
    logging_batches,
    sums_divided_once,
    with_a_schedule,
    clipped_once,
    iterating,
    by_hand,
    last_group_dropped,
    class_weights,
]


@pytest.mark.parametrize("train", RIGHT, ids=lambda train: train.__name__)
def test_right_loops_pass(train: Any) -> None:
    found = audit(train, classifier(), (X, Y))
    assert (found.mistakes, found.is_right) == ((), True)
    assert str(found).startswith(
        "right: updates from 8 × 8 samples equal those from one batch of 64"
    )


def test_a_right_loop_over_tokens_passes() -> None:
    def train(model: nn.Module, optimizer: Any, batches: Any, k: int) -> list[float]:
        losses = []
        for group in groups(batches, k):
            valid = sum((y != -100).sum() for _, y in group)
            optimizer.zero_grad()
            for x, y in group:
                loss = cross_entropy(model(x), y, reduction="sum")
                (loss / valid).backward()
                losses.append(loss.item() / int((y != -100).sum()))
            optimizer.step()
        return losses

    assert audit(train, Tokens(), (IDS, NEXT)).is_right


# --- Data and cuts ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("train", "latent"),
    [
        (divided_by_k, {Mistake.MEAN_OF_MEANS, Mistake.SHORT_GROUP}),
        (never_flushed, {Mistake.MEAN_OF_MEANS, Mistake.LEFT_OVER}),
        (mean_of_means, {Mistake.MEAN_OF_MEANS}),
        (by_samples, set()),
    ],
)
def test_mistakes_that_these_data_hide_are_told_apart(train: Any, latent: set[Mistake]) -> None:
    found = audit(train, classifier(), (X[:128], Y[:128]))
    assert found.is_right
    assert set(found.latent) == latent
    assert str(found).count("with a short last batch or group") == len(latent)


class Rows(Dataset[Any]):
    def __len__(self) -> int:
        return N

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return X[index], Y[index]


def test_a_dataset_is_cut_into_batches_likewise() -> None:
    assert set(audit(mean_of_means, classifier(), Rows(), batch=6, accumulation=4).mistakes) == {
        Mistake.MEAN_OF_MEANS
    }
    assert audit(by_samples, classifier(), Rows(), batch=6, accumulation=4).is_right


def test_the_model_is_not_changed() -> None:
    model = classifier()
    before = {name: each.clone() for name, each in model.state_dict().items()}
    state = torch.get_rng_state()
    audit(divided_by_k, model, (X, Y))
    assert all(torch.equal(each, model.state_dict()[name]) for name, each in before.items())
    assert model.training
    assert torch.equal(state, torch.get_rng_state())


def test_what_cannot_be_audited_is_said() -> None:
    with pytest.raises(ProblemError, match="too few"):
        audit(by_samples, classifier(), (X[:60], Y[:60]))
    with pytest.raises(ProblemError, match="accumulation must be at least 2"):
        audit(by_samples, classifier(), (X, Y), accumulation=1)
    with pytest.raises(ProblemError, match="0 updates"):
        audit(lambda *_: None, classifier(), (X, Y))
