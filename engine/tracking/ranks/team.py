"""The ranks of a data-parallel loop: losses weighted over all of them, orders at the same update.

Ranks meet in one small all-reduce about ten times a second, at an update that they agreed upon at
the meeting before, and at the end of each epoch. It sums the losses of the batches since then, and
carries the orders of rank 0, so that no step pays for a broadcast.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.optim import Optimizer

_MEETING_SECONDS: Final = 0.1
_MOST_UPDATES: Final = 1_000
"""Updates between two meetings of a very fast loop."""
_ORDER_BYTES: Final = 2_048
_HEAD: Final = 2
"""Numbers before the orders: updates until the next meeting, bytes of the orders."""


@dataclass(frozen=True, slots=True)
class SharedBatch:
    """A batch that all ranks have trained on together."""

    loss: float
    samples: int
    lr: float
    ends_update: bool


class Team:
    """The ranks of a process group, as one of them sees it."""

    def __init__(self, device: torch.device) -> None:
        """`device`: that of the model; the backend decides whether messages live there."""
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        is_on_device = dist.get_backend() == "nccl"
        self._device = device if is_on_device else torch.device("cpu")
        self._losses: list[Tensor] = []
        self._weights: list[float | Tensor] = []
        self._batches: list[tuple[int, float, bool]] = []
        self._updates_left = 1
        self._met_at = perf_counter()
        self._updates = 0
        """Updates since the last meeting."""

    @property
    def is_recorder(self) -> bool:
        """True for the rank that writes the log and serves the socket."""
        return self.rank == 0

    def add(self, loss: Tensor, weight: Any, samples: int, lr: float, *, ends_update: bool) -> None:
        """Keep a batch of this rank until the next meeting."""
        self._losses.append(loss.detach().clone())
        self._weights.append(weight)
        self._batches.append((samples, lr, ends_update))
        self._updates += ends_update

    @property
    def is_due(self) -> bool:
        """True if all ranks meet after this update."""
        return self._updates >= self._updates_left

    def meet_soon(self) -> None:
        """Meet after the next update."""
        self._updates_left = 1

    def meet(self, orders: bytes) -> tuple[list[SharedBatch], bytes]:
        """Meet the other ranks; returns the batches since the last meeting, and rank 0's orders.

        All ranks must have trained as many batches. `orders`: those of rank 0; others are ignored.
        """
        count = len(self._batches)
        head = torch.zeros(_HEAD + _ORDER_BYTES + 3 * count, dtype=torch.float64)
        if self.is_recorder:
            if len(orders) > _ORDER_BYTES:
                raise ValueError(f"orders of {len(orders):,} bytes are too long")
            head[0], head[1] = self._next_meeting(), len(orders)
            head[_HEAD : _HEAD + len(orders)] = torch.tensor([*orders], dtype=torch.float64)
        message = head.to(self._device)
        self._fill(message[_HEAD + _ORDER_BYTES :], count)
        dist.all_reduce(message)
        found = message.tolist()
        self._updates_left, length = max(int(found[0]), 1), int(found[1])
        orders = bytes(int(each) for each in found[_HEAD : _HEAD + length])
        shared = [*self._shared(found[_HEAD + _ORDER_BYTES :], count)]
        self._losses, self._weights, self._batches = [], [], []
        self._updates, self._met_at = 0, perf_counter()
        return shared, orders

    def _next_meeting(self) -> int:
        """Updates until the next meeting, by the speed since the last one."""
        seconds = max(perf_counter() - self._met_at, 1e-6)
        fitting = int(_MEETING_SECONDS / seconds * max(self._updates, 1))
        return max(1, min(fitting, _MOST_UPDATES, 4 * max(self._updates, 1)))

    def _fill(self, part: Tensor, count: int) -> None:
        """Sums to be: weight × loss, weight and samples of each batch."""
        if not count:
            return
        weights = torch.stack(
            [torch.as_tensor(each, dtype=torch.float64) for each in self._weights]
        )
        losses = torch.stack([each.reshape(()).double() for each in self._losses])
        weights, losses = weights.to(self._device), losses.to(self._device)
        # A weight of 0 has a loss without a value, which must not spread to other ranks.
        part[:count] = torch.where(weights > 0, losses * weights, torch.zeros_like(losses))
        part[count : 2 * count] = weights
        part[2 * count :] = torch.tensor([each[0] for each in self._batches], dtype=torch.float64)

    def _shared(self, sums: list[float], count: int) -> Iterator[SharedBatch]:
        for index, (_, lr, ends_update) in enumerate(self._batches):
            weight = sums[count + index]
            loss = sums[index] / weight if weight else 0.0
            yield SharedBatch(loss, int(sums[2 * count + index]), lr, ends_update)

    def total(self, weight: Any) -> Tensor:
        """The sum of a weight over all ranks; for groups whose weights differ between ranks."""
        total = torch.as_tensor(weight, dtype=torch.float64).to(self._device).clone()
        dist.all_reduce(total)
        return total


def find_team(optimizer: Optimizer) -> Team | None:
    """The ranks of this process; None if it trains alone."""
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return None
    return Team(next(each.device for group in optimizer.param_groups for each in group["params"]))


class GradientSync:
    """The reduction of a data-parallel model's gradients: only in the last batch of a group."""

    def __init__(self, model: nn.Module | None) -> None:
        self._model = model

    def set(self, is_on: bool) -> None:
        """Reduce the gradients of the next batch, or keep them on this rank.

        Called before its forward pass, in which DistributedDataParallel prepares the reduction.
        """
        model = self._model
        if model is None:
            return
        if callable(of_fsdp2 := getattr(model, "set_requires_gradient_sync", None)):
            of_fsdp2(is_on)
        elif isinstance(model, nn.parallel.DistributedDataParallel):
            model.require_backward_grad_sync = is_on
