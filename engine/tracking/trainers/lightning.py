"""The hooks for the Trainer of Lightning, which calls them as those of a callback.

The loss that its hooks get is divided by the accumulation, so the module's `training_step` is
wrapped while it trains.
"""

import functools
import logging
import math
import os
from collections.abc import Mapping
from typing import Any, Final

from engine.tracking.controls import Abilities
from engine.tracking.trainers.losses import gradient_norm, plain_optimizer, samples_of
from engine.tracking.trainers.plan import TrainingPlan, length
from engine.tracking.trainers.record import TrainerRecord

_FIXED: Final = "Lightning keeps the loader with which the training began"
_EPOCHS: Final = "set max_epochs of the Trainer"
_RANKS: Final = "the processes that train together cannot be reached without torch.distributed"
_OWN_MEANS: Final = (
    "with accumulation, each loss is that of training_step, before Lightning divides it by "
    "accumulate_grad_batches"
)
_OWN_STEPS: Final = "the module takes its steps itself (manual optimization)"
_SEVERAL: Final = "the module has several optimizers"
_SCHEDULED: Final = "the Trainer changed it"
_LOSSES: Final[tuple[str, ...]] = (
    "val_loss",
    "val/loss",
    "valid_loss",
    "validation_loss",
    "eval_loss",
    "loss",
)
"""Usual names of a held-out loss."""
_METHOD: Final = "training_step"


class LightningHooks:
    """Reports to a record how a Trainer of Lightning trains."""

    def __init__(
        self,
        *,
        name: str | None = None,
        run_dir: str | os.PathLike[str] | None = None,
        grad_norm: bool = True,
        version: str = "unknown",
    ) -> None:
        self.record = TrainerRecord(name=name, run_dir=run_dir)
        self._version, self._has_norm = version, grad_norm
        self._trainer: Any = None
        self._optimizer: Any = None
        self._own: Any = None
        """A `training_step` that the script had set on the object; None for that of the class."""
        self._is_manual = self._is_stopping = False
        self._step = 0
        """Updates of the Trainer before this batch."""
        self._ready = 0
        """Batches of this epoch so far."""
        self._loss: Any = None
        self._lr: float | None = None
        self._norm: Any = None
        self._group: list[tuple[Any, int, float | None]] = []
        """Batches of an update whose size nobody knows before its end."""

    # --- Begin and end --------------------------------------------------------------------------

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        if self.record.is_off:
            return
        self._trainer, self._is_stopping = trainer, False
        plan, optimizers = None, []
        try:
            optimizers = trainer.optimizers
            self._optimizer = plain_optimizer(optimizers[0]) if optimizers else None
            self._is_manual = not pl_module.automatic_optimization
            plan = _plan(trainer, pl_module)
            self._wrap(pl_module)
        except Exception as error:
            plan = None
            self.record.give_up(error)
        size, optimizer = trainer.world_size, self._optimizer
        is_joined = self.record.join_ranks(size, optimizer, is_able=plan is not None)
        if (
            plan is None
            or not self.record.is_recording
            or not (is_joined or trainer.is_global_zero)
        ):
            self._leave(pl_module)
            return
        if not is_joined:
            plan.refuse(_RANKS)
        if len(optimizers) > 1:
            logging.getLogger("gdtui").warning(
                "gdtui: the module has %d optimizers; lr and gradient norm are those of the first",
                len(optimizers),
            )
        self.record.start(plan, self._optimizer, self._version, self)
        self.record.begin_epoch(plan.epoch)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        self._leave(pl_module)
        is_early = trainer.should_stop and not self._is_stopping
        self.record.finish("the Trainer stopped before its last epoch" if is_early else "")

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        if self.record.has_ranks:
            self._group = []  # other processes may not come to a meeting any more
        self._leave(pl_module)
        self.record.fail(exception)

    def _wrap(self, module: Any) -> None:
        original = getattr(module, _METHOD)
        self._own = vars(module).get(_METHOD)

        @functools.wraps(original)
        def training_step(*args: Any, **kwargs: Any) -> Any:
            output = original(*args, **kwargs)
            if self._loss is None:  # an optimiser may call it again within a step
                self._loss = output.get("loss") if isinstance(output, Mapping) else output
            return output

        setattr(module, _METHOD, training_step)

    def _leave(self, module: Any) -> None:
        """Leave the module as it was."""
        self._flush()
        if self._trainer is not None:
            vars(module).pop(_METHOD, None)
            if self._own is not None:
                setattr(module, _METHOD, self._own)
        self._trainer = self._own = None

    # --- Batches --------------------------------------------------------------------------------

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        self._ready = 0
        self.record.begin_epoch(trainer.current_epoch + 1)

    def on_train_batch_start(
        self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int
    ) -> None:
        if self._trainer is None:
            return
        self._loss = self._norm = None
        self._step, self._lr = trainer.global_step, self.record.lr
        if not self._is_manual and trainer.accumulate_grad_batches != self.record.accumulation:
            self.record.adopt_accumulation(trainer.accumulate_grad_batches, _SCHEDULED)

    def on_before_backward(self, trainer: Any, pl_module: Any, loss: Any) -> None:
        if self._is_manual and self._loss is None:
            self._loss = loss.detach().clone()

    def on_before_optimizer_step(self, trainer: Any, pl_module: Any, optimizer: Any) -> None:
        if self._trainer is None or not self._has_norm or self._norm is not None:
            return
        try:
            plain = plain_optimizer(optimizer)
            if plain is not None and plain is self._optimizer and not _is_sharded(trainer):
                groups = plain.param_groups
                self._norm = gradient_norm(each for group in groups for each in group["params"])
        except Exception as error:
            self.record.give_up(error)

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self._trainer is None:
            return
        self._ready = batch_idx + 1
        loss = self._loss.detach() if hasattr(self._loss, "detach") else self._loss
        ends_update = trainer.global_step > self._step
        samples = _samples(batch)
        if self._is_manual:
            self._group.append((loss, samples, self._lr))
            if ends_update:
                self._flush()
        else:
            self.record.add(loss, samples, self._lr, ends_update=ends_update)
        if ends_update:
            if self._norm is not None:
                self.record.note("grad_norm", self._norm)
            if self.record.obey():
                trainer.should_stop = self._is_stopping = True

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        self._flush()

    def _flush(self) -> None:
        """Record the batches of an update that has ended."""
        group, self._group = self._group, []
        if len(group) > self.record.accumulation:
            self.record.adopt_accumulation(len(group), _OWN_STEPS)
        for number, (loss, samples, lr) in enumerate(group, start=1):
            self.record.add(loss, samples, lr, ends_update=number == len(group))

    # --- Measurements ---------------------------------------------------------------------------

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        if self._trainer is None or trainer.sanity_checking:
            return
        try:
            found = _held_out(trainer)
        except Exception as error:
            self.record.give_up(error)
            return
        losses = [each for each in _LOSSES if each in found]
        losses = losses[:1] or [each for each in found if "loss" in each.lower()]
        loss = float(found.pop(losses[0])) if len(losses) == 1 else None
        self.record.evaluate(loss, found, ends_epoch=bool(trainer.is_last_batch))

    # --- The lever ------------------------------------------------------------------------------

    def delay(self, steps: int) -> int:
        """Batches until groups of this many, counted from the epoch's start, begin as old ones do.

        Lightning ends a group at each multiple of the accumulation, and divides its losses by it.
        """
        return -self._ready % math.lcm(steps, self._trainer.accumulate_grad_batches)

    def accumulate(self, steps: int) -> None:
        """Accumulate over this many batches from the next one on."""
        if not self._is_manual and steps != self._trainer.accumulate_grad_batches:
            self._trainer.accumulate_grad_batches = steps


def _plan(trainer: Any, module: Any) -> TrainingPlan:
    loader = trainer.train_dataloader
    batches = trainer.num_training_batches
    size = getattr(loader, "batch_size", None) or 0
    size = size or getattr(getattr(loader, "batch_sampler", None), "batch_size", None) or 0
    samples = 0
    if size and math.isfinite(batches):
        samples = min(length(getattr(loader, "sampler", ())) or size * batches, size * batches)
    steps = int(trainer.accumulate_grad_batches)
    manual = "" if module.automatic_optimization else _OWN_STEPS
    return TrainingPlan(
        batch_size=int(size),
        epoch_samples=int(samples),
        drop_last=bool(getattr(loader, "drop_last", False)),
        accumulation=steps,
        epochs=_epochs(trainer, batches, steps),
        epoch=trainer.current_epoch + 1,
        abilities=Abilities(
            batch_size=_FIXED,
            accumulation_steps=manual,
            lr=_SEVERAL if len(trainer.optimizers) > 1 else "",
            epochs=_EPOCHS,
            ends="",
        ),
        remark=_OWN_MEANS if steps > 1 and not manual else "",
    )


def _epochs(trainer: Any, batches: float, steps: int) -> int:
    """The epochs that a Trainer limits by their number or by that of the updates."""
    most = trainer.max_epochs
    epochs = most if isinstance(most, int) and most > 0 else 0
    if trainer.max_steps > 0 and math.isfinite(batches) and batches:
        needed = math.ceil(trainer.max_steps / math.ceil(batches / steps))
        epochs = min(epochs, needed) if epochs else needed
    return max(epochs, 1)


def _held_out(trainer: Any) -> dict[str, Any]:
    """The metrics of the validation that has just ended, without those of the training."""
    found = dict(trainer.callback_metrics)
    try:
        names = {*trainer._logger_connector.metrics["callback"]}
    except Exception:  # not part of Lightning's interface
        names = {each for each in found if each.lower().startswith(("val", "eval", "test"))}
    return {name: value for name, value in found.items() if name in names}


def _samples(batch: Any) -> int:
    try:
        return samples_of(batch)
    except Exception:  # a form of batch that only the module knows
        return 0


def _is_sharded(trainer: Any) -> bool:
    """True if this process has only a part of each gradient."""
    name = type(trainer.strategy).__name__.lower()
    return trainer.world_size > 1 and any(each in name for each in ("fsdp", "deepspeed", "model"))
