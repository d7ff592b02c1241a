"""Curvature of several models at once against their exact Hessians."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.experiments.claims import flat_generalises
from engine.experiments.stacked import perceptron, weights_of
from engine.measure.curvature import top_eigenvalues

CPU = torch.device("cpu")
SEEDS = (3, 4)


def test_sharpness_is_the_exact_hessians_top_eigenvalue() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(2, 20, 3, generator=generator, dtype=torch.float64)
    target = torch.randint(4, (2, 20), generator=generator)

    def models() -> Iterator[nn.Module]:
        for seed in SEEDS:
            torch.manual_seed(seed)
            yield nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 4))

    weights = weights_of(list(models()), CPU)
    found = top_eigenvalues(lambda w: flat_generalises.losses(w, inputs, target), weights)
    for at in range(len(SEEDS)):
        shapes = [weight[at].shape for weight in weights]

        def loss(vector: Tensor, at: int = at, shapes: list[torch.Size] = shapes) -> Tensor:
            parts = [
                p.view(shape)
                for p, shape in zip(vector.split([s.numel() for s in shapes]), shapes, strict=True)
            ]
            scores = perceptron([part[None] for part in parts], inputs[at : at + 1])[0]
            return functional.cross_entropy(scores, target[at])

        vector = torch.cat([weight[at].detach().reshape(-1) for weight in weights])
        hessian = torch.autograd.functional.hessian(loss, vector)
        assert found[at].item() == pytest.approx(
            torch.linalg.eigvalsh(hessian)[-1].item(), rel=1e-6
        )
