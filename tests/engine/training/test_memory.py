"""Memory that runs out in mid-training: what is tried again, and what is not."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from memory_errors import NO_MEMORY
from torch import Tensor, nn
from torch.nn import functional

from engine import Problem
from engine.settings import FULL, DataOn, VariantSettings
from engine.training.data.sources import GatheredTensors, LaidOutTensors
from engine.training.devices.errors import OutOfMemoryInStepError
from engine.training.trainer import Trainer

CPU = torch.device("cpu")
N = 24
ROOM = 8
"""Samples that the made-up device has memory for."""

Raise = Callable[[int], None]
"""Raises if so many samples are too many."""

errors = pytest.mark.parametrize("error", NO_MEMORY, ids=repr)


class InBackward(torch.autograd.Function):
    """Runs out of memory in the backward pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, check: Raise) -> Tensor:
        ctx.check = check
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        ctx.check(len(gradients[0]))
        return gradients[0], None


class Hungry(nn.Module):
    """A layer that fits `ROOM` samples where it is told to mind."""

    def __init__(self, where: str, error: Exception | None) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1).double()
        self.where, self.error = where, error
        self.most = 0

    def check(self, samples: int) -> None:
        if self.error is not None and samples > ROOM:
            raise self.error
        self.most = max(self.most, samples)

    def forward(self, x: Tensor) -> Tensor:
        if self.where == ("forward" if self.training else "evaluation"):
            self.check(len(x))
        y: Tensor = self.layer(x)
        return InBackward.apply(y, self.check) if self.where == "backward" else y  # type: ignore[no-any-return, no-untyped-call]


def trainer(where: str, error: Exception | None, **more: Any) -> Trainer:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(N, 3, dtype=torch.float64, generator=generator)
    problem = Problem(
        train=(x, x.sum(1, keepdim=True)),
        model=lambda: Hungry(where, error),
        loss=functional.mse_loss,
        **more,
    )
    optimizer = "own" if "optimizer" in more else "adam"
    settings = VariantSettings(batch_size=FULL, lr=0.1, optimizer=optimizer)
    return Trainer(problem, settings, 0, CPU)


def updates(training: Trainer, count: int) -> Tensor:
    """The weights after so many updates, stepping back where memory runs out."""
    while training.updates < count:
        try:
            training.advance(training.batches_for(1))
        except Exception as error:
            training.retreat(error)
    return torch.from_numpy(training.weights())


@errors
@pytest.mark.parametrize("where", ["forward", "backward"])
def test_smaller_batches_give_the_same_weights(where: str, error: Exception) -> None:
    cut = trainer(where, error)
    torch.testing.assert_close(updates(cut, 4), updates(trainer(where, None), 4))
    assert 0 < cut.model.most <= ROOM
    assert cut.resolved.effective_batch == N


@errors
def test_evaluation_goes_on_in_smaller_pieces(error: Exception) -> None:
    cut = trainer("evaluation", error)
    assert cut.full_loss() == pytest.approx(trainer("evaluation", None).full_loss(), rel=1e-12)
    assert 0 < cut.model.most <= ROOM


@errors
def test_in_the_optimisers_step_nothing_is_tried_again(error: Exception) -> None:
    class Adam(torch.optim.Adam):
        """Runs out of memory at the end of its third step, with its counters moved on."""

        steps = 0

        def step(self, closure: Any = None) -> None:
            super().step()
            Adam.steps += 1
            if Adam.steps == 3:
                raise error

    cut = trainer("", None, optimizer=lambda parameters, lr: Adam(parameters, lr=lr))
    cut.advance(1)
    cut.advance(1)
    with pytest.raises(OutOfMemoryInStepError) as raised:
        cut.advance(1)
    with pytest.raises(OutOfMemoryInStepError):
        cut.retreat(raised.value)
    assert Adam.steps == 3, "it was not stepped again"


def test_in_the_midst_of_a_slice_the_step_is_final_too() -> None:
    class Sgd(torch.optim.SGD):
        steps = 0

        def step(self, closure: Any = None) -> None:
            Sgd.steps += 1
            if Sgd.steps == 3:
                raise torch.OutOfMemoryError("CUDA out of memory")
            super().step()

    cut = trainer("", None, optimizer=lambda parameters, lr: Sgd(parameters, lr=lr))
    cut.change(VariantSettings(batch_size=4, optimizer="own"))
    with pytest.raises(OutOfMemoryInStepError):
        cut.advance(6)


class Cramped(torch.Tensor):
    """Data without room for a second copy, or for any on a device."""

    is_cramped = False
    fits = True

    def index_select(self, *args: Any) -> Any:
        if Cramped.is_cramped and len(args[1]) == N:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().index_select(*args)

    def to(self, *args: Any, **kwargs: Any) -> Any:
        if not Cramped.fits:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().to(*args, **kwargs)


def cramped(monkeypatch: pytest.MonkeyPatch, name: str, value: bool) -> Trainer:
    monkeypatch.setattr(Cramped, name, value)
    x = torch.arange(3.0 * N).reshape(N, 3).as_subclass(Cramped)
    problem = Problem(train=(x, x[:, :1]), model=lambda: nn.Linear(3, 1), loss=functional.mse_loss)
    settings = VariantSettings(batch_size=5, lr=1e-5)
    return Trainer(problem, settings, 0, CPU, data_on=DataOn.AUTO)


def test_without_room_for_an_epochs_copy_batches_are_gathered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wide = cramped(monkeypatch, "is_cramped", False)
    expected = [wide.advance(3).losses for _ in range(4)]
    narrow = cramped(monkeypatch, "is_cramped", True)
    assert isinstance(narrow.source, LaidOutTensors)
    assert [narrow.advance(3).losses for _ in range(4)] == expected
    assert narrow.epoch == 2


def test_data_that_find_no_room_after_all_stay_on_the_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert isinstance(cramped(monkeypatch, "fits", False).source, GatheredTensors)
