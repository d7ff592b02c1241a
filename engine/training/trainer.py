"""Trains one variant on torch: some batches at a time, losses out. No I/O, no clock, no process.

The device is asked for a result once a call, not once a batch: losses stay where they were computed
until `advance` returns.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.measure.model_copy import Probe
from engine.problem import Problem, is_function
from engine.settings import DataOn, Resolved, VariantSettings
from engine.training.data.sources import Source, Span, open_source
from engine.training.devices import is_out_of_memory, release_memory, seed_generator
from engine.training.evaluate import Measured, measure
from engine.training.model import Modelling
from engine.training.optimizer import LearningRate, make_optimizer
from engine.training.schedule import Batch, cut, epoch_end, epoch_order, epoch_seed, pieces
from engine.training.stretch import Stretch

_MOST_AT_ONCE: Final = 1 << 62


class Trainer:
    """One generation of one variant, from its first weights on.

    The seed fixes the first weights, each epoch's order and what stochastic layers draw in it. Raises
    SettingsError for an optimiser that torch does not have, ProblemError for data that cannot be used.
    """

    def __init__(
        self,
        problem: Problem,
        settings: VariantSettings,
        seed: int,
        device: torch.device,
        *,
        micro_batch: int | None = None,
        data_on: DataOn = DataOn.AUTO,
        loader_workers: int = 0,
        sharing: int = 1,
    ) -> None:
        """`micro_batch`: samples that the device is given at once. `sharing`: variants on this device."""
        self.problem = problem
        self.epoch = 0
        """The epoch at hand, from 1; 0 before the first batch."""
        self.batches = self.updates = self.samples = 0
        """Done so far. `updates` counts closed groups."""
        self.device = device
        self._seed = seed
        self.source = self._open(problem.train, data_on, loader_workers, sharing)
        self.validation: Source | None = None
        """The held-out data."""
        if problem.validation is not None:
            self.validation = self._open(problem.validation, data_on, loader_workers, sharing)
        self.n = self.source.n
        torch.manual_seed(seed)
        self.modelling = Modelling(problem, device)
        self.model = self.modelling.model
        self._parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.micro_batch = micro_batch or _MOST_AT_ONCE
        self._in_update = 0
        self._position = self._end = 0
        self._batches: Iterator[Batch] = iter(())
        self._ordered_epoch = 0
        self._use(settings)
        self.optimizer = make_optimizer(problem, self._parameters, settings, self.resolved.lr)
        self._lr = LearningRate(self.optimizer, self.resolved.lr)

    def _open(self, data: Any, data_on: DataOn, loader_workers: int, sharing: int) -> Source:
        return open_source(
            data() if is_function(data) else data,
            self.device,
            seed=self._seed,
            data_on=data_on,
            loader_workers=loader_workers,
            sharing=sharing,
        )

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
        where a batch or a group is short. When memory runs out, the group at hand begins anew with the
        batch that failed; batches done before it are returned, and with none the error is raised.
        """
        if self.at_epoch_end:
            self._begin_epoch()
        before = (self.batches + 1, self.updates + 1, self._in_update, self.samples)
        losses: list[Tensor] = []
        size = 0
        failure: BaseException | None = None
        try:
            for batch in islice(self._batches, max_batches):
                loss = self._backward(batch)
                if batch.closes_group:
                    self.optimizer.step()
                    self._clear_gradients()
                losses.append(loss)
                size = batch.stop - batch.start
                self._position = batch.stop
                self.samples += size
                self._in_update += 1
                if batch.closes_group:
                    self.updates += 1
                    self._in_update = 0
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            # Without its frames, which hold what fills the memory.
            failure = error.with_traceback(None)
        self.batches += len(losses)
        if failure is not None:
            self._abandon_group()
            if not losses:
                raise failure
        return self._stretch(before, losses, size)

    def _backward(self, batch: Batch) -> Tensor:
        """Add a batch's share to the gradient; its mean loss."""
        size = batch.stop - batch.start
        if size > self.micro_batch:
            return self._backward_in_pieces(batch)
        loss = self.modelling.loss(self.source.take(batch.start, batch.stop))
        if size == batch.group_samples:
            loss.backward()  # type: ignore[no-untyped-call]
        else:
            (loss * (size / batch.group_samples)).backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def _backward_in_pieces(self, batch: Batch) -> Tensor:
        total: Tensor | float = 0.0
        for start, stop in pieces(batch, self.micro_batch):
            loss = self.modelling.loss(self.source.take(start, stop))
            (loss * ((stop - start) / batch.group_samples)).backward()  # type: ignore[no-untyped-call]
            total = total + loss.detach() * ((stop - start) / batch.size)
        assert isinstance(total, Tensor)
        return total

    def _begin_epoch(self) -> None:
        self.epoch += 1
        self._position = 0
        # Whatever happens between batches, stochastic layers draw the same in this epoch.
        seed_generator(self.device, epoch_seed(self._seed, self.epoch))
        self.source.begin(None, self.epoch)
        self._cut()

    def _cut(self) -> None:
        """Cut what is left of the epoch into batches, under the settings in force."""
        if self.resolved.batch_size < self.n and self._ordered_epoch != self.epoch:
            self._ordered_epoch = self.epoch  # one batch that holds all samples needs no order
            self.source.begin(epoch_order(self._seed, self.epoch, self.n), self.epoch)
        self._end = epoch_end(self._position, self.n, self.resolved, drop_last=self.settings.drop_last)
        self._batches = cut(self._position, self._end, self.resolved)
        self.source.expect(_spans(self._position, self._end, self.resolved, self.micro_batch))

    def _clear_gradients(self) -> None:
        # optimizer.zero_grad() does the same with 2 µs of bookkeeping: 2% of a batch of one.
        for parameter in self._parameters:
            parameter.grad = None

    def _abandon_group(self) -> None:
        """Part of a batch may be in the gradient: drop it all, and begin the group anew there."""
        self._clear_gradients()
        release_memory(self.device)
        self._in_update = 0
        self._cut()

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
            self.optimizer = make_optimizer(self.problem, self._parameters, settings, lr)
            self._lr = LearningRate(self.optimizer, lr)
        self._lr.set(lr)
        at_epoch_end = self.at_epoch_end
        self._use(settings)
        if not at_epoch_end:
            self._cut()
        return "optimiser state cleared" if renewed and self.updates else ""

    def compute_in_pieces(self, samples: int) -> None:
        """Give the device at most so many samples at once from now on; only between groups."""
        self.micro_batch = samples
        if not self.at_epoch_end:
            self._cut()

    def _use(self, settings: VariantSettings) -> None:
        self.resolved = settings.resolve(self.n)
        self.settings = settings

    # --- Measuring ------------------------------------------------------------------------------

    def has_finite_weights(self) -> bool:
        """Whether every weight is a number; asks the device."""
        return bool(torch.stack([p.isfinite().all() for p in self._parameters]).all())

    def probe(self, samples: NDArray[np.int64]) -> Probe:
        """The model as it is now, standing still, with these samples of the training set in this order."""
        return Probe(self.modelling, self.source, samples, self.micro_batch)

    def weights(self) -> NDArray[np.float32]:
        """The trained parameters, one after the other, as a vector."""
        flat = torch.cat([parameter.detach().reshape(-1) for parameter in self._parameters])
        copied: NDArray[np.float32] = flat.float().cpu().numpy()
        return copied

    def synchronize(self) -> None:
        """Wait until the device has done all that it was given."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            torch.mps.synchronize()

    def full_loss(self) -> float:
        """Mean loss over all n training samples at the weights as they are, in eval mode."""
        return measure(self.modelling, self.source, self.micro_batch, {}).loss

    def validate(self) -> Measured | None:
        """Loss and metrics on the held-out data, likewise; None without any."""
        if self.validation is None:
            return None
        return measure(self.modelling, self.validation, self.micro_batch, self.problem.metrics)


def _spans(start: int, end: int, settings: Resolved, micro_batch: int) -> Callable[[], Iterator[Span]]:
    """Lists what a source is asked for. Holds no trainer: a cycle would end loader workers late."""
    return lambda: (span for batch in cut(start, end, settings) for span in pieces(batch, micro_batch))
