"""The top Hessian eigenvalue of S models at once, by Lanczos on Hessian-vector products."""

from collections.abc import Callable, Sequence
from typing import Final

import torch
from torch import Tensor

_STEPS: Final = 40
_SEED: Final = 0


def sharpness(loss: Callable[[Sequence[Tensor]], Tensor], parameters: Sequence[Tensor]) -> Tensor:
    """Largest eigenvalue of each model's Hessian, (S,).

    `loss` takes the parameters, each of shape (S, …), to the loss of each model, (S,). Lanczos with
    full reorthogonalisation, 40 steps (Golub & Van Loan, 10.3): exact where a model has fewer
    parameters than that, from below and very near elsewhere.
    """
    gradients = torch.autograd.grad(loss(parameters).sum(), parameters, create_graph=True)
    gradient = _flat(gradients)
    steps = min(_STEPS, gradient.shape[1])
    generator = torch.Generator().manual_seed(_SEED)
    start = torch.randn(gradient.shape, generator=generator, dtype=torch.float64).to(gradient)
    basis = [start / start.norm(dim=1, keepdim=True)]
    small = gradient.new_zeros(len(start), steps, steps)
    for step in range(steps):
        product = _flat(torch.autograd.grad(gradient, parameters, basis[-1], retain_graph=True))
        known = torch.stack(basis, dim=1)  # (S, step + 1, D)
        small[:, : step + 1, step] = (known @ product[:, :, None]).squeeze(-1)
        for _ in range(2):  # once is not enough in floating point
            product = product - (known.mT @ (known @ product[:, :, None])).squeeze(-1)
        length = product.norm(dim=1, keepdim=True)
        # Where nothing new is left the basis is complete: a zero vector adds zero eigenvalues alone.
        basis.append(torch.where(length > 1e-12, product / length, torch.zeros_like(product)))
    eigenvalues: Tensor = torch.linalg.eigvalsh(small, UPLO="U")
    return eigenvalues[:, -1]


def _flat(tensors: Sequence[Tensor]) -> Tensor:
    """(S, …) each, to (S, D)."""
    return torch.cat([tensor.reshape(len(tensor), -1) for tensor in tensors], dim=1)
