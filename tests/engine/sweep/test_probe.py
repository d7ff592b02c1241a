"""Gradient noise of a sweep's arms against the exact one, and what is measured of each."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.func import functional_call, grad, vmap

from engine.problems import registry
from engine.problems.opening import tensors_of
from engine.settings import RunSettings, Variant, VariantSettings
from engine.sweep.probe import measure, noise_at
from engine.training.trainer import Trainer

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def test_the_noise_scale_is_the_exact_one_from_per_sample_gradients() -> None:
    problem = registry.load("synthetic", 1)
    trainer = Trainer(problem, VariantSettings(), 1, CPU)
    model = trainer.model
    inputs, target = tensors_of(problem)

    def loss(weights: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return problem.loss(functional_call(model, weights, (x[None],)), y[None])

    weights = {name: p.detach() for name, p in model.named_parameters()}
    each = vmap(grad(loss), in_dims=(None, 0, 0))(weights, inputs, target)
    rows = torch.cat([g.reshape(len(inputs), -1) for g in each.values()], dim=1).double().numpy()
    mean = rows.mean(0)
    exact = float(rows.var(axis=0, ddof=1).sum() / (mean @ mean))
    found = noise_at(trainer, seed=1)
    assert found.low <= exact <= found.high
    assert np.isclose(found.value, exact, rtol=0.3)


def test_every_arm_is_measured() -> None:
    variants = tuple(Variant(name=str(s), settings=VariantSettings(batch_size=s)) for s in (1, 64))
    told: list[str] = []
    found = measure(
        RunSettings(variants=variants, device="cpu"), 1, lambda share, what: told.append(what)
    )
    assert all(peak is not None and peak > 2000 * 11 * 4 for peak in found.peak_bytes)
    assert found.noise is not None
    assert found.noise.is_reliable
    assert told == ["memory of 1", "memory of 64", "gradient noise"]


@pytest.mark.parametrize(
    ("sizes", "is_measured"), [((5, 13), True), ((13, 16), True), ((16, 32), False)]
)
def test_what_cannot_be_measured_is_told_and_ends_nothing(
    sizes: tuple[int, ...], is_measured: bool, tmp_path: Path
) -> None:
    """BatchNorm takes no batch of one sample, the last of 65 in batches of 16."""
    (tmp_path / "net.py").write_text(
        "import torch\nfrom torch import nn\nfrom gdtui import Problem\n\n"
        "def problem():\n    torch.manual_seed(0)\n"
        "    x, y = torch.randn(65, 4), torch.arange(65) % 2\n"
        "    return Problem(train=(x, y), loss=nn.functional.cross_entropy, model=lambda:\n"
        "        nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 2)))\n"
    )
    variants = tuple(Variant(name=str(s), settings=VariantSettings(batch_size=s)) for s in sizes)
    settings = RunSettings(variants=variants, device="cpu", problem=f"{tmp_path}/net.py:problem")
    found = measure(settings, 1, lambda share, what: None)
    assert all(peak is not None for peak in found.peak_bytes)
    assert (found.noise is not None) == is_measured
    said = [] if is_measured else ["gradient noise not measured"]
    assert [note.text.split(":")[0] for note in found.notes] == said


def test_a_model_too_large_to_keep_its_gradients_is_said_to_compute_them_twice(
    tmp_path: Path,
) -> None:
    (tmp_path / "net.py").write_text(
        "import torch\nfrom torch import nn\nfrom gdtui import Problem\n\n"
        "def problem():\n    x = torch.randn(64, 300)\n"
        "    return Problem(train=(x, x[:, :1]), loss=nn.functional.mse_loss, model=lambda:\n"
        "        nn.Sequential(nn.Linear(300, 900), nn.Linear(900, 1)))\n"
    )
    variants = (Variant(name="64", settings=VariantSettings()),)
    settings = RunSettings(variants=variants, device="cpu", problem=f"{tmp_path}/net.py:problem")
    told: list[str] = []
    assert measure(settings, 1, lambda share, what: told.append(what)).noise is not None
    assert told[1:] == [
        "gradient noise",
        "gradient noise, each gradient computed twice: 271,801 parameters are too many",
    ]


def test_gradients_that_are_not_finite_are_no_noise_of_zero(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "import torch\nfrom torch import nn\nfrom gdtui import Problem\n\n"
        "def problem():\n    x = torch.randn(64, 3)\n"
        "    return Problem(train=(x, x[:, :1]), loss=nn.functional.mse_loss, model=lambda:\n"
        "        nn.Linear(3, 1))\n"
    )
    variants = (Variant(name="8", settings=VariantSettings(batch_size=8, lr=1e30)),)
    settings = RunSettings(variants=variants, device="cpu", problem=f"{tmp_path}/net.py:problem")
    found = measure(settings, 1, lambda share, what: None)
    assert found.noise is None
    assert tuple(note.text for note in found.notes) == (
        "gradient noise not measured: 64 of 64 gradients are not finite after an epoch of 8",
    )
