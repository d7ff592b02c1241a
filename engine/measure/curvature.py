"""Curvature by Lanczos: the largest Hessian eigenvalue, from Hessian-vector products alone.

Golub & Van Loan, "Matrix Computations", 10.1–10.3. The same implementation serves a single model,
measured while it is training (engine/measure/sharpness.py), and many models of the same shape at
once (below).
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_STEPS: Final = 40
_SEED: Final = 0
_COMPLETE: Final = 1e-12
"""A direction shorter than this is rounding, so the basis is complete."""


class Lanczos:
    """Krylov spaces of S symmetric matrices at once, one dimension larger with each product.

    Multiply `vector` by the matrices and pass the product to `extend`; `top` is then the best
    estimate.
    """

    def __init__(self, start: Tensor, *, reorthogonalise: bool) -> None:
        """`start` holds a random vector for each matrix, (S, D); it is not changed.

        Without reorthogonalisation, only three vectors are kept; the largest Ritz value is as good
        (Paige 1980), but duplicates of it appear. With it, the values are exact once the basis is
        complete.
        """
        self.vector = start / start.norm(dim=1, keepdim=True)
        """The next vectors to be multiplied, of length 1, (S, D)."""
        self._before = torch.zeros_like(self.vector)
        self._basis: list[Tensor] | None = [] if reorthogonalise else None
        self._diagonal: list[NDArray[np.float64]] = []
        self._beside: list[NDArray[np.float64]] = []

    @property
    def products(self) -> int:
        """Number of products so far, which is the dimension of the Krylov spaces."""
        return len(self._diagonal)

    @property
    def residual(self) -> NDArray[np.float64]:
        """Length of the direction that the last product adds to the space, (S,).

        Zero if the space is complete.
        """
        return self._beside[-1]

    def extend(self, image: Tensor) -> None:
        """Add the product of the matrices and `vector`, (S, D), which is overwritten."""
        vector = self.vector
        along = torch.linalg.vecdot(image, vector)[:, None]
        image.addcmul_(-along, vector)
        if self._beside:
            image.addcmul_(-image.new_tensor(self._beside[-1])[:, None], self._before)
        if self._basis is not None:
            self._basis.append(vector)
            known = torch.stack(self._basis, dim=1)  # (S, products, D)
            for _ in range(2):  # once is not enough in floating point
                image = image - (known.mT @ (known @ image[:, :, None])).squeeze(-1)
        length = image.norm(dim=1, keepdim=True)
        if self._basis is not None:
            # A zero vector only adds zero eigenvalues, while the other matrices go on.
            length = torch.where(length > _COMPLETE, length, torch.zeros_like(length))
        self._diagonal.append(_numbers(along))
        self._beside.append(_numbers(length))
        self._before = vector
        self.vector = image.div_(torch.where(length > 0, length, torch.inf))

    def top(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The largest eigenvalue of each matrix and a bound on its error, (S,) each.

        The bound is the norm of the Ritz pair's residual: an eigenvalue lies within it. Both are
        NaN if a product was not finite.
        """
        count = self.products
        small = np.zeros((len(self._diagonal[0]), count, count))
        at = np.arange(count)
        small[:, at, at] = np.stack(self._diagonal, axis=1)
        for place, beside in enumerate(self._beside[:-1]):
            small[:, place, place + 1] = small[:, place + 1, place] = beside
        if not np.isfinite(small).all():
            return np.full(len(small), np.nan), np.full(len(small), np.nan)
        values, vectors = np.linalg.eigh(small)
        return values[:, -1], self._beside[-1] * np.abs(vectors[:, -1, -1])


def _numbers(column: Tensor) -> NDArray[np.float64]:
    """A column (S, 1) as a numpy array (S,); waits for the device."""
    return np.array(column.squeeze(1).tolist(), np.float64)


def top_eigenvalues(
    loss: Callable[[Sequence[Tensor]], Tensor], parameters: Sequence[Tensor]
) -> Tensor:
    """Largest eigenvalue of each model's Hessian, (S,).

    `loss` maps the parameters, each of shape (S, …), to the loss of each model, (S,). Takes forty
    steps: exact if a model has no more parameters than that, otherwise very close from below.
    """
    gradients = torch.autograd.grad(loss(parameters).sum(), parameters, create_graph=True)
    gradient = _flat(gradients)
    generator = torch.Generator().manual_seed(_SEED)
    start = torch.randn(gradient.shape, generator=generator, dtype=torch.float64).to(gradient)
    lanczos = Lanczos(start, reorthogonalise=True)
    for _ in range(min(_STEPS, gradient.shape[1])):
        products = torch.autograd.grad(gradient, parameters, lanczos.vector, retain_graph=True)
        lanczos.extend(_flat(products))
    return gradient.new_tensor(lanczos.top()[0])


def _flat(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors of shape (S, …), joined to (S, D)."""
    return torch.cat([tensor.reshape(len(tensor), -1) for tensor in tensors], dim=1)
