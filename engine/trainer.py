"""Trains one variant on torch: some batches at a time, losses out. No I/O, no clock, no process.

The device is asked for a result once a call, not once a batch: losses stay where they were computed
until `advance` returns.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from engine.batches import Batch, cut, epoch_end, epoch_order
from engine.problem import Problem
from engine.settings import SettingsError, VariantSettings

_EVALUATION_PIECE: Final = 8192
"""Samples in one forward pass of the full loss: its memory stays bounded however large n is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Some consecutive batches of one epoch under one setting: messages.Chunk, but for time."""

    epoch: int
    batch: int
    update: int
    in_update: int
    samples: int
    batch_size: int
    last_batch_size: int
    accumulation_steps: int
    lr: float
    losses: bytes
    is_finite: bool
    """All losses are finite; the first that is not ends the stretch."""


class Trainer:
    """One generation of one variant, from its first weights on.

    The seed fixes the first weights and each epoch's order. Raises SettingsError for a device or an
    optimiser that torch does not have.
    """

    def __init__(self, problem: Problem, settings: VariantSettings, seed: int, device: torch.device) -> None:
        self.problem = problem
        self.n = problem.n
        self.epoch = 0
        """The epoch at hand, from 1; 0 before the first batch."""
        self.batches = self.updates = self.samples = 0
        """Done so far. `updates` counts closed groups."""
        self.device = device
        self._seed = seed
        self._data = tuple(tensor.to(device) for tensor in problem.train)
        self._epoch_data = self._data
        torch.manual_seed(seed)
        self.model = problem.model().to(device).train()
        self._parameters = [p for p in self.model.parameters() if p.requires_grad]
        self._in_update = 0
        self._position = self._end = 0
        self._batches: Iterator[Batch] = iter(())
        self._use(settings)
        self.optimizer = make_optimizer(self.model, settings, self.resolved.lr)

    # --- Where training stands ------------------------------------------------------------------

    @property
    def in_group(self) -> bool:
        """Some batches of the update at hand are done, not all."""
        return self._in_update > 0

    @property
    def at_epoch_end(self) -> bool:
        """No batch of this epoch is left (true before the first, too)."""
        return self._position >= self._end

    @property
    def epochs_done(self) -> float:
        """Epochs, with the share of the one at hand."""
        if self.at_epoch_end:
            return float(self.epoch)
        return self.epoch - 1 + self._position / self.n

    @property
    def batches_left_in_update(self) -> int:
        """Batches until the optimiser steps next, at most."""
        return self.resolved.accumulation_steps - self._in_update

    # --- Training -------------------------------------------------------------------------------

    def advance(self, max_batches: int) -> Stretch:
        """Train up to `max_batches` ≥ 1 batches, at most to the end of the epoch.

        Gradients are weighted by samples, so k batches of b give the gradient of one of k·b, also
        where a batch or a group is short.
        """
        if self.at_epoch_end:
            self._begin_epoch()
        before = (self.batches + 1, self.updates + 1, self._in_update, self.samples)
        losses: list[Tensor] = []
        size = 0
        for batch in islice(self._batches, max_batches):
            size = batch.size
            *inputs, target = [tensor[batch.start : batch.stop] for tensor in self._epoch_data]
            loss = self.problem.loss(self.model(*inputs), target)
            if size == batch.group_samples:
                loss.backward()  # type: ignore[no-untyped-call]
            else:
                (loss * (size / batch.group_samples)).backward()  # type: ignore[no-untyped-call]
            losses.append(loss.detach())
            self._in_update += 1
            self._position = batch.stop
            self.samples += size
            if batch.closes_group:
                self.optimizer.step()
                self._clear_gradients()
                self.updates += 1
                self._in_update = 0
        self.batches += len(losses)
        return self._stretch(before, losses, size)

    def _begin_epoch(self) -> None:
        """Lay the samples out in the new epoch's order once: a batch is then a slice, not a gather."""
        self.epoch += 1
        self._position = 0
        if self.resolved.batch_size == self.n:
            self._epoch_data = self._data  # one batch holds them all: there is no order to lay out
        else:
            order = torch.from_numpy(epoch_order(self._seed, self.epoch, self.n)).to(self.device)
            self._epoch_data = tuple(tensor.index_select(0, order) for tensor in self._data)
        self._cut()

    def _clear_gradients(self) -> None:
        # optimizer.zero_grad() does the same with 2 µs of bookkeeping: 2% of a batch of one.
        for parameter in self._parameters:
            parameter.grad = None

    def _stretch(self, before: tuple[int, int, int, int], losses: list[Tensor], size: int) -> Stretch:
        batch, update, in_update, samples = before
        on_host = torch.stack(losses).float().cpu().numpy()  # the one synchronisation of the call
        is_finite = np.isfinite(on_host)
        if not is_finite.all():
            # How many batches followed the first bad one is chance: leave them out.
            on_host = on_host[: int(is_finite.argmin()) + 1]
            size = size if len(on_host) == len(losses) else self.resolved.batch_size
            self.batches = batch - 1 + len(on_host)
            self.samples = samples + (len(on_host) - 1) * self.resolved.batch_size + size
            self.updates = update - 1 + (in_update + len(on_host)) // self.resolved.accumulation_steps
        return Stretch(
            epoch=self.epoch,
            batch=batch,
            update=update,
            in_update=in_update,
            samples=samples,
            batch_size=self.resolved.batch_size,
            last_batch_size=size,
            accumulation_steps=self.resolved.accumulation_steps,
            lr=self.resolved.lr,
            losses=on_host.astype("<f4", copy=False).tobytes(),
            is_finite=bool(is_finite.all()),
        )

    # --- Settings -------------------------------------------------------------------------------

    def change(self, settings: VariantSettings) -> str:
        """Train with other settings from the next batch on; only between groups.

        The epoch goes on with the next sample of the same order. Returns what else the user should
        know, or "". Raises SettingsError, and changes nothing, for settings that cannot be.
        """
        if self.in_group:
            raise RuntimeError("settings change between groups only")
        old = self.settings
        lr = settings.resolve(self.n).lr
        renewed = (old.momentum, old.optimizer.lower()) != (
            settings.momentum,
            settings.optimizer.lower(),
        )
        if renewed:
            self.optimizer = make_optimizer(self.model, settings, lr)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        at_epoch_end = self.at_epoch_end
        self._use(settings)
        if not at_epoch_end:
            self._cut()
        return "optimiser state cleared" if renewed and self.updates else ""

    def _use(self, settings: VariantSettings) -> None:
        self.resolved = settings.resolve(self.n)
        self.settings = settings

    def _cut(self) -> None:
        self._end = epoch_end(self._position, self.n, self.resolved, drop_last=self.settings.drop_last)
        self._batches = cut(self._position, self._end, self.resolved)

    # --- Measuring ------------------------------------------------------------------------------

    def has_finite_weights(self) -> bool:
        """Whether every weight is a number; asks the device."""
        return bool(torch.stack([p.isfinite().all() for p in self._parameters]).all())

    def full_loss(self) -> float:
        """Mean loss over all n training samples at the weights as they are, in eval mode."""
        self.model.eval()
        total = 0.0
        with torch.no_grad():
            for piece in zip(*(torch.split(tensor, _EVALUATION_PIECE) for tensor in self._data), strict=True):
                *inputs, target = piece
                total += self.problem.loss(self.model(*inputs), target).item() * len(target)
        self.model.train()
        return total / self.n


def find_device(name: str) -> torch.device:
    """The device of that name; auto is CUDA, else MPS, else CPU. SettingsError when it is not there."""
    has_mps = torch.backends.mps.is_available()
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if has_mps else "cpu"
    kind, _, index = name.partition(":")
    gpus = torch.cuda.device_count() if kind == "cuda" else 0
    is_there = {"cpu": True, "mps": has_mps, "cuda": gpus > 0}.get(kind, False)
    if not is_there or (index and not (kind == "cuda" and index.isdecimal() and int(index) < gpus)):
        there = [
            "cpu",
            *(f"cuda:{k}" for k in range(torch.cuda.device_count())),
            *(["mps"] * has_mps),
        ]
        raise SettingsError(f"device {name!r} is not on this machine; here: auto, {', '.join(there)}")
    return torch.device(name)


def make_optimizer(model: nn.Module, settings: VariantSettings, lr: float) -> torch.optim.Optimizer:
    """The optimiser that the settings name; SettingsError when torch.optim has none of that name."""
    kinds: dict[str, Callable[..., torch.optim.Optimizer]] = {
        name.lower(): kind
        for name, kind in vars(torch.optim).items()
        if isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer)
    }
    # The base class is no optimiser, and LBFGS steps through a closure, several losses an update.
    usable = kinds.keys() - {"optimizer", "lbfgs"}
    name = settings.optimizer.lower()
    if name not in usable:
        raise SettingsError(f"optimizer {settings.optimizer!r}: one of {', '.join(sorted(usable))}")
    options: dict[str, Any] = {"momentum": settings.momentum} if settings.momentum else {}
    try:
        return kinds[name](model.parameters(), lr=lr, **options)
    except TypeError:
        raise SettingsError(f"optimizer {settings.optimizer} takes no momentum; set it to 0") from None
    except ValueError as error:
        raise SettingsError(f"optimizer {settings.optimizer}: {error}") from None


def describe(model: nn.Module) -> str:
    """A model in a few characters, such as "Linear(10,1)"."""
    if isinstance(model, nn.Linear):
        return f"Linear({model.in_features},{model.out_features})"
    return type(model).__name__
