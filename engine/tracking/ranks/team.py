"""The ranks of a data-parallel loop: losses weighted over all of them, orders at the same update.

Ranks meet in one small all-reduce about ten times a second, at an update that they agreed upon at
the meeting before, and at the end of each epoch. It sums the losses of the batches since then, and
carries the orders of rank 0, so that no step pays for a broadcast. A rank that can no longer obey
says so, and then none obeys: what all ranks do together must stay the same on all.
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
_HEAD: Final = 3
"""Numbers before the orders: updates until the next meeting, bytes of the orders, able ranks."""


@dataclass(frozen=True, slots=True)
class SharedBatch:
    """A batch that all ranks have trained on together."""

    loss: float
    samples: int
    lr: float
    ends_update: bool


@dataclass(frozen=True, slots=True)
class Meeting:
    """The outcome of a meeting, the same on all ranks."""

    batches: list[SharedBatch]
    """Those since the meeting before."""
    orders: bytes
    """The orders of rank 0."""
    is_able: bool
    """True if every rank can obey orders."""
    ahead: int
    """The most batches that a rank's loader has read ahead."""


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

    @property
    def pending(self) -> int:
        """The batches since the last meeting."""
        return len(self._batches)

    def meet_soon(self) -> None:
        """Meet after the next update; called on all ranks alike."""
        self._updates_left = 1

    def meet(
        self, orders: bytes, *, is_able: bool = True, ahead: int = 0, is_soon: bool = False
    ) -> Meeting:
        """Meet the other ranks.

        All ranks must have trained as many batches. `orders`: those of rank 0; others are ignored.
        `is_able`: this rank can obey. `ahead`: the batches that its loader has read ahead.
        `is_soon`, on rank 0: meet again after the next update.
        """
        count = len(self._batches)
        start = _HEAD + _ORDER_BYTES
        head = torch.zeros(start + self.size + 3 * count, dtype=torch.float64)
        if self.is_recorder:
            orders = orders[: len(orders) if len(orders) <= _ORDER_BYTES else 0]  # none come near
            head[0], head[1] = 1 if is_soon else self._next_meeting(), len(orders)
            head[_HEAD : _HEAD + len(orders)] = torch.tensor([*orders], dtype=torch.float64)
        head[2], head[start + self.rank] = is_able, ahead
        message = head.to(self._device)
        try:
            self._fill(message[start + self.size :], count)
        except Exception:  # a loss that is no number; the others wait for this rank all the same
            message[start + self.size :] = 0
        dist.all_reduce(message)
        found = message.tolist()
        self._updates_left, length = max(int(found[0]), 1), int(found[1])
        shared = [*self._shared(found[start + self.size :], count)]
        self._losses, self._weights, self._batches = [], [], []
        self._updates, self._met_at = 0, perf_counter()
        return Meeting(
            batches=shared,
            orders=bytes(int(each) for each in found[_HEAD : _HEAD + length]),
            is_able=int(found[2]) == self.size,
            ahead=int(max(found[start : start + self.size])),
        )

    def agrees(self, is_able: bool) -> bool:
        """True if this holds on all ranks, which all ask at the same time."""
        count = torch.tensor(float(is_able), dtype=torch.float64).to(self._device)
        dist.all_reduce(count)
        return int(count) == self.size

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

    def gather(self, data: bytes) -> list[bytes]:
        """The data of each rank, on all ranks."""
        sizes = torch.zeros(self.size, dtype=torch.int64)
        sizes[self.rank] = len(data)
        sizes = sizes.to(self._device)
        dist.all_reduce(sizes)
        lengths = [int(each) for each in sizes.tolist()]
        rows = torch.zeros(self.size, max(lengths), dtype=torch.int32)
        if data:
            rows[self.rank, : len(data)] = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        rows = rows.to(self._device)
        dist.all_reduce(rows)
        found = rows.to("cpu", torch.uint8)
        return [
            bytes(row[:size].tolist()) for row, size in zip(found.unbind(), lengths, strict=True)
        ]

    def share(self, value: Any) -> Any:
        """The value that rank 0 has, on all ranks."""
        box = [value]
        dist.broadcast_object_list(box, src=0, device=self._device)
        return box[0]

    def total(self, weight: Any) -> Tensor:
        """The sum of a weight over all ranks; for groups whose weights differ between ranks."""
        total = torch.as_tensor(weight, dtype=torch.float64).to(self._device).clone()
        dist.all_reduce(total)
        return total


def find_team(optimizer: Optimizer | None, size: int = 0) -> Team | None:
    """The ranks of this process; None if it trains alone.

    `size`: the number of ranks that must be there; 0 for any.
    """
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return None
    if size not in (0, dist.get_world_size()):
        return None
    if optimizer is None:
        device = torch.device("cuda" if dist.get_backend() == "nccl" else "cpu")
    else:
        groups = optimizer.param_groups
        device = next(each.device for group in groups for each in group["params"])
    return Team(device)


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
