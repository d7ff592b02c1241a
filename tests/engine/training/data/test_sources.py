"""Every form of a problem trains as a plain loop does, however its batches come."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import Dataset, TensorDataset

from engine import Problem
from engine.problem import OWN, ProblemError
from engine.settings import FULL, DataOn, SettingsError, VariantSettings
from engine.training.data.loaded import LoadedSamples
from engine.training.data.opening import open_source
from engine.training.data.sources import GatheredTensors, LaidOutTensors
from engine.training.schedule import epoch_order
from engine.training.trainer import Trainer

CPU = torch.device("cpu")
SEED = 5
N = 50


class Rows(Dataset[Any]):
    """Tensors, one sample at a time."""

    def __init__(self, *tensors: Tensor, wrap: Callable[..., Any] = lambda *row: row) -> None:
        self.tensors, self.wrap = tensors, wrap

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, index: int) -> Any:
        return self.wrap(*(tensor[index] for tensor in self.tensors))


class TwoInputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(3, 1).double(), nn.Linear(2, 1).double()

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return (self.left(left) + self.right(right)).squeeze(-1)


def numbers(*shape: int) -> Tensor:
    return torch.randn(
        *shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.float64
    )


LEFT, RIGHT, TARGET = numbers(N, 3), numbers(N, 2), numbers(N)


def images() -> Problem:
    return Problem(
        train=(numbers(N, 1, 6, 6), (numbers(N) > 0).long()),
        model=lambda: nn.Sequential(
            nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32, 2)
        ).double(),
        loss=functional.cross_entropy,
    )


def normed() -> Problem:
    return Problem(
        train=(LEFT, TARGET),
        model=lambda: nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)).double(),
        loss=lambda output, target: functional.mse_loss(output.squeeze(-1), target),
    )


def two_inputs() -> Problem:
    return Problem(train=(LEFT, RIGHT, TARGET), model=TwoInputs, loss=functional.mse_loss)


def named(train: Any = None) -> Problem:
    """The same out of dicts, one entry of which the model doesn't take."""
    rows = Rows(
        LEFT, RIGHT, TARGET, wrap=lambda a, b, y: {"y": y, "right": b, "left": a, "id": "text"}
    )
    return Problem(
        train=train or rows,
        model=TwoInputs,
        loss=lambda output, batch: functional.mse_loss(output, batch["y"]),
    )


def losses_of(problem: Problem, settings: VariantSettings, *, epochs: int = 2, **how: Any) -> bytes:
    trainer = Trainer(problem, settings, SEED, CPU, **how)
    parts = []
    while trainer.epoch < epochs or not trainer.at_epoch_end:
        parts.append(trainer.advance(3).losses)
    return b"".join(parts)


def plain(
    problem: Problem, size: int, epochs: int, make: Any, calls: Callable[..., Tensor]
) -> nn.Module:
    torch.manual_seed(SEED)
    model = problem.model()
    optimizer = make(model.parameters(), lr=0.01)
    for epoch in range(1, epochs + 1):
        order = torch.from_numpy(epoch_order(SEED, epoch, N))
        for start in range(0, N, size):
            optimizer.zero_grad()
            calls(model, order[start : start + size]).backward()
            optimizer.step()
    return model


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("make", [images, normed, two_inputs, named])
def test_the_maths_is_that_of_a_plain_loop(make: Callable[[], Problem], optimizer: str) -> None:
    problem = make()
    trainer = Trainer(problem, VariantSettings(batch_size=8, optimizer=optimizer), SEED, CPU)
    while trainer.epoch < 3 or not trainer.at_epoch_end:
        trainer.advance(5)

    def loss(model: nn.Module, rows: Tensor) -> Tensor:
        *inputs, target = problem.train.tensors if make is named else problem.train  # type: ignore[union-attr, misc]
        output = model(*(tensor[rows] for tensor in inputs))
        target = target[rows]
        return problem.loss(output, {"y": target} if make is named else target)

    expected = plain(problem, 8, 3, getattr(torch.optim, optimizer), loss)
    for name, value in expected.state_dict().items():
        assert torch.allclose(trainer.model.state_dict()[name], value, rtol=0, atol=1e-10), name


@pytest.mark.parametrize("make", [images, normed, two_inputs])
def test_tensors_arrays_and_a_dataset_give_the_same_losses(make: Callable[[], Problem]) -> None:
    """Laid out, gathered from the host, and read here; images by two loader workers, too."""
    problem = make()
    settings = VariantSettings(
        batch_size=8, accumulation_steps=2
    )  # the last batch holds 2, as BatchNorm needs
    expected = losses_of(problem, settings)
    tensors: Any = problem.train
    by_workers: list[tuple[Any, dict[str, Any]]] = [(Rows(*tensors), {"loader_workers": 2})]
    for train, how in (
        (tensors, {"data_on": DataOn.HOST}),
        (lambda: tensors, {}),
        (tuple(tensor.numpy() for tensor in tensors), {}),
        (TensorDataset(*tensors), {}),
        (Rows(*tensors), {}),
        *(by_workers if make is images else []),  # which start slowly
    ):
        same = Problem(train=train, model=problem.model, loss=problem.loss)  # type: ignore[arg-type]
        assert losses_of(same, settings, **how) == expected


def test_what_a_transform_draws_does_not_depend_on_who_reads_it_or_when() -> None:
    """Torch's, numpy's and Python's random numbers, and dropout beside them."""

    def noisy(left: Tensor, target: Tensor) -> Any:
        noise = torch.rand(()) + np.random.rand() + random.random()
        return (left + noise).float(), target.float()

    def make() -> nn.Module:
        return nn.Sequential(nn.Linear(3, 1), nn.Dropout(0.3), nn.Flatten(0))

    problem = Problem(train=Rows(LEFT, TARGET, wrap=noisy), model=make, loss=functional.mse_loss)
    settings = VariantSettings(batch_size=8)
    expected = losses_of(problem, settings)
    assert losses_of(problem, settings, loader_workers=2) == expected

    disturbed = Trainer(problem, settings, SEED, CPU)
    parts = []
    while disturbed.epoch < 2 or not disturbed.at_epoch_end:
        parts.append(disturbed.advance(2).losses)
        disturbed.full_loss()
        disturbed.change(settings)
    assert b"".join(parts) == expected


@pytest.mark.parametrize("train", [(LEFT, RIGHT, TARGET), Rows(LEFT, RIGHT, TARGET)])
@pytest.mark.parametrize("batch_size", [FULL, 20])
def test_a_large_batch_in_pieces_is_the_same_batch(train: Any, batch_size: Any) -> None:
    problem = Problem(train=train, model=TwoInputs, loss=functional.mse_loss)
    settings = VariantSettings(
        batch_size=batch_size, accumulation_steps=1 if batch_size == FULL else 2
    )
    whole = np.frombuffer(losses_of(problem, settings), "<f4")
    pieces = np.frombuffer(losses_of(problem, settings, micro_batch=6), "<f4")
    assert pieces == pytest.approx(whole, rel=1e-6)
    assert len(pieces) == (2 if batch_size == FULL else 6)


def test_the_problems_own_optimiser_keeps_the_ratios_of_its_groups() -> None:
    def make(params: Any, lr: float) -> torch.optim.Optimizer:
        first, *rest = params
        return torch.optim.AdamW([{"params": [first], "lr": lr / 10}, {"params": rest}], lr=lr)

    problem = Problem(
        train=(LEFT, RIGHT, TARGET), model=TwoInputs, loss=functional.mse_loss, optimizer=make
    )
    trainer = Trainer(problem, VariantSettings(batch_size=8, optimizer=OWN), SEED, CPU)
    assert type(trainer.recipe.optimizer) is torch.optim.AdamW
    trainer.change(VariantSettings(batch_size=8, optimizer=OWN, lr=0.5))
    assert [group["lr"] for group in trainer.recipe.optimizer.param_groups] == pytest.approx(
        [0.05, 0.5]
    )
    with pytest.raises(SettingsError, match="defines none"):
        Trainer(two_inputs(), VariantSettings(optimizer=OWN), SEED, CPU)


def test_where_the_data_lies() -> None:
    tensors = (LEFT, TARGET)
    how = {"seed": 0, "loader_workers": 0}
    assert isinstance(open_source(tensors, CPU, data_on=DataOn.AUTO, **how), LaidOutTensors)  # type: ignore[arg-type]
    assert isinstance(open_source(tensors, CPU, data_on=DataOn.HOST, **how), GatheredTensors)  # type: ignore[arg-type]
    assert isinstance(open_source(Rows(LEFT), CPU, data_on=DataOn.AUTO, **how), LoadedSamples)  # type: ignore[arg-type]
    with pytest.raises(ProblemError, match="sample by sample"):
        open_source(Rows(LEFT), CPU, data_on=DataOn.DEVICE, **how)  # type: ignore[arg-type]


# --- Mistakes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("train", "said"),
    [
        ((LEFT,), "then the target"),
        ((LEFT, TARGET[:-1]), "tensors must have the same length, not 50, 49"),
        ((LEFT[:0], TARGET[:0]), "no samples"),
        ((LEFT, [1, 2]), r"train\[1\] must be a tensor or an array, not list"),
        ((LEFT, torch.tensor(1.0)), "one entry per sample"),
        (LEFT, "a tuple of inputs and target"),
        (3, "a tuple of tensors or arrays"),
        (Rows(LEFT[:0]), "no samples"),
    ],
)
def test_data_that_nothing_can_be_made_of(train: Any, said: str) -> None:
    with pytest.raises(ProblemError, match=said):
        Problem(train=train, model=TwoInputs, loss=functional.mse_loss)


def test_what_is_no_function() -> None:
    with pytest.raises(ProblemError, match="model must be a function, not int"):
        Problem(train=(LEFT, TARGET), model=3, loss=functional.mse_loss)  # type: ignore[arg-type]
    with pytest.raises(ProblemError, match="'acc' must be a function"):
        Problem(train=(LEFT, TARGET), model=TwoInputs, loss=functional.mse_loss, metrics={"acc": 1})  # type: ignore[dict-item]


def test_samples_of_a_form_that_no_model_takes() -> None:
    settings = VariantSettings(batch_size=8)
    with pytest.raises(ProblemError, match="a tuple with the target last, or a dict, not Tensor"):
        losses_of(
            Problem(train=Rows(LEFT, wrap=lambda x: x), model=TwoInputs, loss=nn.MSELoss()),
            settings,
        )
    with pytest.raises(ProblemError, match=r"hold a, y, but the model's forward takes left, right"):
        losses_of(named(Rows(LEFT, TARGET, wrap=lambda a, y: {"a": a, "y": y})), settings)
