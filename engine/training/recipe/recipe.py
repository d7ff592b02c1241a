"""A variant's recipe on its model: optimiser, lr of each update, clipping, precision.

The trainer asks it for the parts of an update, and lets it follow an epoch's batches.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from engine.problem import OWN
from engine.settings import LrSchedule, Precision, Resolved, VariantSettings, in_samples
from engine.training.execution.done import TrainedBatches
from engine.training.model import Objective
from engine.training.recipe.learning_rate import LearningRate, LrTrack
from engine.training.recipe.optimizer import make_optimizer
from engine.training.recipe.own_schedule import OwnSchedule, require_scheduler
from engine.training.recipe.update_step import Forward, UpdateStep, forward_of, under
from engine.training.schedule import Batch, updates_of_epoch
from engine.training.state.optimizers import optimizer_state, restore_optimizer


class Recipe:
    """The updates that settings describe. Raises SettingsError for what torch does not have."""

    def __init__(
        self,
        objective: Objective,
        settings: VariantSettings,
        resolved: Resolved,
        device: torch.device,
        n: int,
        epochs: int,
    ) -> None:
        """`n`: samples in an epoch. `epochs`: planned."""
        self._objective = objective
        self._device = device
        self._n = n
        self.epochs = epochs
        """Planned: the span of schedules."""
        self._settings, self._resolved = settings, resolved
        self._begin(updates=0)

    def _begin(self, updates: int) -> None:
        """Make the optimiser that the settings name, after so many updates with another one."""
        settings, lr = self._settings, self._resolved.lr
        self.optimizer = make_optimizer(self._objective, settings, lr)
        self._lr = LearningRate(self.optimizer, lr)
        self._track = LrTrack(lr)
        self._own = self._make_schedule(updates)
        self._update_step = self._make_step()

    def _make_schedule(self, updates: int) -> OwnSchedule | None:
        """The problem's own schedule, if it is in force."""
        settings, resolved = self._settings, self._resolved
        if settings.schedule is not LrSchedule.OWN:
            return None
        self._lr.set(resolved.lr)
        # A batch that is still growing counts as grown: the plain loop that is shown plans so, too.
        grown = settings.resolve(self._n)
        each = updates_of_epoch(self._n, grown, drop_last=settings.drop_last)
        planned = each * self.epochs
        return OwnSchedule(self._objective.problem, self.optimizer, resolved.lr, planned, updates)

    def _make_step(self) -> UpdateStep | None:
        """The end of an update, where that is more than the optimiser's step."""
        settings = self._settings
        if settings.clip is None and settings.precision is not Precision.FP16:
            return None
        return UpdateStep(self.optimizer, self._objective.parameters, settings, self._device)

    # --- One update -----------------------------------------------------------------------------

    @property
    def parts(self) -> tuple[Callable[[], object], Forward, Tensor | None]:
        """The step on an update's whole gradient, the forward pass, and the scale of gradients."""
        own, lr, last = self._own, self._resolved.lr, self._update_step
        step = last or self.optimizer.step
        forward = forward_of(self._objective, self._settings.precision, self._device)
        scale = last.scale if last else None
        return (step if own is None else lambda: own.step(step, lr)), forward, scale

    def precision(self) -> AbstractContextManager[object]:
        """The context in which the model is evaluated."""
        return under(self._settings.precision, self._device)

    # --- lr -------------------------------------------------------------------------------------

    def followed(self, batches: Iterator[Batch], before: int) -> Iterator[Batch]:
        """The batches as they come, with the lr set as each update begins.

        `before`: samples of the run before the epoch of these batches.
        """
        if self._has_known_lr:
            return batches
        return self._track.followed(batches, before, self._lr_of)

    @property
    def _has_known_lr(self) -> bool:
        """True where the lr in force is that of the settings, for all updates."""
        return self._settings.has_constant_lr and self._settings.optimizer_parsed.name != OWN

    def _lr_of(self, samples: int) -> float:
        settings, lr = self._settings, self._resolved.lr
        if self._own is not None:
            return self._own.lr(lr)
        if not settings.has_constant_lr:
            planned = self._n * self.epochs
            warmup = in_samples(settings.warmup, planned)
            self._lr.set(lr * settings.schedule.factor(samples, warmup, planned))
        return self._lr.first

    @property
    def lr(self) -> float:
        """That of the latest update that was taken, or of the first; the first group's."""
        return self._resolved.lr if self._has_known_lr else self._track.lr

    @property
    def clip(self) -> float | None:
        """The norm that larger gradients are scaled down to; None for no clipping."""
        return self._settings.clip

    @property
    def lr_ratios(self) -> list[float]:
        """The lr of each parameter group ÷ the lr in force."""
        return self._lr.ratios

    def lrs(self, starts: range, before: int) -> list[float]:
        """The lr of updates that begin at these positions of an epoch; `before` as above."""
        if self._has_known_lr:
            return [self._resolved.lr] * len(starts)
        return [self._lr_of(before + start) for start in starts]

    def take(self, done: TrainedBatches, count: int) -> tuple[float | bytes, int, int]:
        """The lr of the updates of the first `count` batches, how many were clipped and skipped."""
        begun, closed = done.begun_and_closed(count)
        if self._has_known_lr:
            lr: float | bytes = self._resolved.lr
        else:
            lr = self._track.take(begun, done.lrs, is_amid=done[0].in_update > 0)
        if self._update_step is None:
            return lr, 0, 0
        return lr, *self._update_step.take_counts(closed, done.clipped)

    # --- Its state ------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything that decides its next updates, beside the settings."""
        return {
            "optimizer": optimizer_state(self.optimizer),
            "ratios": self._lr.ratios,
            "lr": self._track.lr,
            "own": None if self._own is None else self._own.state(),
            "scaler": None if self._update_step is None else self._update_step.scaler_state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from the state of a recipe with the same settings."""
        self._lr.use_ratios(state["ratios"])
        if self._own is not None and state["own"] is not None:
            self._lr.set(state["own"]["made_for"])
            problem = self._objective.problem
            self._own = OwnSchedule.restored(problem, self.optimizer, state["own"])
        restore_optimizer(self.optimizer, state["optimizer"])
        if self._update_step is not None and state["scaler"] is not None:
            self._update_step.restore_scaler(state["scaler"])
        self._track.lr = float(state["lr"])

    # --- Changes --------------------------------------------------------------------------------

    def change(self, settings: VariantSettings, resolved: Resolved, updates: int) -> bool:
        """Put other settings in force after so many updates.

        True where the optimiser is another one, without state. Raises SettingsError, and changes
        nothing, for settings that cannot be.
        """
        if settings.schedule is LrSchedule.OWN:
            require_scheduler(self._objective.problem)
        before = self._settings, self._resolved
        self._settings, self._resolved = settings, resolved
        old = before[0]
        renewed = (old.momentum, old.optimizer_parsed) != (
            settings.momentum,
            settings.optimizer_parsed,
        )
        try:
            if renewed:
                self._begin(updates)
                return True
            if old.schedule is not settings.schedule:
                self._own = self._make_schedule(updates)
        except Exception:
            self._settings, self._resolved = before
            raise
        if (old.clip, old.precision) != (settings.clip, settings.precision):
            self._update_step = self._make_step()
        if self._own is None:
            self._lr.set(resolved.lr)
        return False
