"""The hooks for the Trainer of Hugging Face transformers.

Its callbacks get no loss, so its `training_step` and `compute_loss` are wrapped on the object.
"""

import functools
from collections.abc import Callable
from typing import Any, Final

from engine.tracking.controls import Abilities
from engine.tracking.trainers.losses import (
    is_mean,
    mean_of_share,
    plain_optimizer,
    samples_of,
    terms_of,
)
from engine.tracking.trainers.plan import TrainingPlan, length
from engine.tracking.trainers.record import TrainerRecord

_FIXED: Final = "the Trainer derives its steps and its lr schedule from it when training begins"
_EPOCHS: Final = "the Trainer fixes its number of steps when training begins"
_RANKS: Final = "the processes that train together cannot be reached without torch.distributed"
_OWN_MEANS: Final = (
    "with accumulation, each loss is the mean of its micro-batch; the Trainer itself adds up the "
    "shares of an update"
)
_ENGINE: Final = "DeepSpeed takes the steps itself"
_MARK: Final = "is_wrapped_by_gdtui"
_PREFIX: Final = "eval_"
_TIMES: Final = ("epoch", "runtime", "samples_per_second", "steps_per_second", "_time")
"""Endings of the names of figures that say how long a measurement took."""


class HuggingFaceHooks:
    """Reports to a record how one Trainer of transformers trains."""

    def __init__(self, trainer: Any, record: TrainerRecord, version: str) -> None:
        self._trainer, self.record, self._version = trainer, record, version
        self._is_in_step = False
        self._has_ended_epoch = False
        self._epoch = 0
        self._loss: Any = None
        self._samples = 0
        self._weight: Any = None
        """The terms of the loss, if several processes train; None for its samples."""
        self._lr: float | None = None
        self._norm: Any = None
        """The norm of the gradient in this update, once the Trainer has it."""

    # --- Losses ---------------------------------------------------------------------------------

    def wrap(self) -> None:
        """Have the Trainer report the loss of each micro-batch."""
        _wrap(self._trainer, "training_step", self._step)
        _wrap(self._trainer, "compute_loss", self._compute)

    def _step(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def training_step(*args: Any, **kwargs: Any) -> Any:
            self._is_in_step, self._loss, self._weight = True, None, None
            self._lr = self.record.lr
            try:
                result = original(*args, **kwargs)
            finally:
                self._is_in_step = False
            if self._loss is None:  # a training_step that does without compute_loss
                self._loss = result
            return result

        return training_step

    def _compute(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def compute_loss(model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            has_ranks = self.record.has_ranks
            if not self._is_in_step or not (self.record.is_recording or has_ranks):
                return original(model, inputs, *args, **kwargs)
            share = _Share(self._trainer, model, inputs, args, kwargs, has_weight=has_ranks)
            try:
                result = original(model, inputs, *args, **kwargs)
            finally:
                share.close()
            self._keep(share, result)
            return result

        return compute_loss

    def _clip(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def clip_grad_norm_(*args: Any, **kwargs: Any) -> Any:
            self._norm = original(*args, **kwargs)
            return self._norm

        return clip_grad_norm_

    def _keep(self, share: "_Share", result: Any) -> None:
        try:
            loss = result[0] if isinstance(result, tuple) else result
            self._loss, self._samples = share.mean(loss), share.samples
            self._weight = share.weight
        except Exception as error:
            self.record.give_up(error)

    # --- Events of the Trainer ------------------------------------------------------------------

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        plan, optimizer = None, None
        try:
            plan = _plan(self._trainer, args, state, kwargs.get("train_dataloader"))
            optimizer = plain_optimizer(kwargs.get("optimizer"))
            _wrap(self._trainer.accelerator, "clip_grad_norm_", self._clip)
        except Exception as error:
            plan = None
            self.record.give_up(error)
        is_joined = self.record.join_ranks(args.world_size, optimizer, is_able=plan is not None)
        if plan is None or not self.record.is_recording:
            return
        if not is_joined:
            if not state.is_world_process_zero:
                return
            plan.refuse(_RANKS)
        self._epoch = plan.epoch - 1
        self.record.start(plan, optimizer, self._version)

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._epoch += 1
        self._has_ended_epoch = False
        self.record.begin_epoch(self._epoch)

    def _add(self, *, ends_update: bool) -> None:
        self.record.add(
            self._loss, self._samples, self._lr, ends_update=ends_update, weight=self._weight
        )

    def on_substep_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._add(ends_update=False)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._add(ends_update=True)
        if self._norm is not None:
            self.record.note("grad_norm", self._norm)
            self._norm = None
        if self.record.obey():
            control.should_training_stop = True

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._has_ended_epoch = True

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        found = {
            name.removeprefix(_PREFIX): value
            for name, value in (kwargs.get("metrics") or {}).items()
            if not name.endswith(_TIMES)
        }
        loss = found.pop("loss", None)
        self.record.evaluate(loss, found, ends_epoch=self._has_ended_epoch)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._has_ended_epoch = False
        is_early = state.global_step < state.max_steps
        self.record.finish("the Trainer ended before its last step" if is_early else "")


def _wrap(
    owner: Any, name: str, wrapper: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> None:
    """Wrap a method of one object, once."""
    original = getattr(owner, name)
    if not getattr(original, _MARK, False):
        wrapped = functools.wraps(original)(wrapper(original))
        setattr(wrapped, _MARK, True)
        setattr(owner, name, wrapped)


def _plan(trainer: Any, args: Any, state: Any, loader: Any) -> TrainingPlan:
    size = int(getattr(trainer, "_train_batch_size", 0) or args.train_batch_size)
    steps = int(args.gradient_accumulation_steps)
    batches = length(loader)
    samples = 0
    if batches:
        samples = min(batches * size, -(-trainer.num_examples(loader) // args.world_size))
    engine = _ENGINE if "DEEPSPEED" in str(trainer.accelerator.distributed_type) else ""
    return TrainingPlan(
        batch_size=size,
        epoch_samples=samples,
        drop_last=bool(args.dataloader_drop_last),
        accumulation=steps,
        epochs=max(int(state.num_train_epochs), 1) if batches else 1,
        epoch=int(state.epoch or 0) + 1,
        abilities=Abilities(
            batch_size=_FIXED,
            accumulation_steps=_FIXED,
            lr=engine,
            epochs=_EPOCHS,
            ends="",
        ),
        remark=_OWN_MEANS if steps > 1 else "",
    )


class _Share:
    """A loss that a Trainer may have divided by the terms of its whole group of micro-batches."""

    def __init__(
        self,
        trainer: Any,
        model: Any,
        inputs: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        has_weight: bool,
    ) -> None:
        """The arguments are those of compute_loss, which may change the inputs."""
        self.samples = 0
        self.weight: Any = None
        """The terms of the loss; None if unknown, or without `has_weight`."""
        self._has_weight = has_weight
        self._total = kwargs.get("num_items_in_batch", args[1] if len(args) > 1 else None)
        self._terms: Any = None
        self._ranks = 1
        self._is_divided: bool | None = None
        self._hook: Any = None
        try:
            self._look(trainer, model, inputs)
        except Exception:  # inputs of another form: the loss is then recorded as it is
            self._total = None

    def _look(self, trainer: Any, model: Any, inputs: Any) -> None:
        self.samples = samples_of(inputs)
        if self._total is None and not self._has_weight:
            return
        self._terms = terms_of(inputs, shifts=_shifts(trainer, model))
        self.weight = self._terms if self._has_weight else None
        if self._total is None:
            return
        if trainer.args.average_tokens_across_devices:
            self._ranks = trainer.args.world_size
        self._is_divided = getattr(trainer, "loss_is_scaled_for_ga", None)
        if self._is_divided is not None:
            return
        if not _has_own_loss(trainer):
            self._is_divided = True
            return
        self._is_divided = False  # unless the user's method lets the model divide
        self._hook = model.register_forward_pre_hook(self._watch, with_kwargs=True)

    def _watch(self, model: Any, args: Any, kwargs: dict[str, Any]) -> None:
        self._is_divided = kwargs.get("num_items_in_batch") is not None

    def close(self) -> None:
        """Leave the model as it was."""
        if self._hook is not None:
            self._hook.remove()

    def mean(self, loss: Any) -> Any:
        """The mean of the loss over the micro-batch."""
        if loss.dim():
            loss = loss.mean()  # as the Trainer does, of the losses of several GPUs
        if self._total is None or self._terms is None or not self._is_divided or is_mean(loss):
            return loss
        mean = mean_of_share(loss, self._total, self._terms)
        return mean / self._ranks if self._ranks > 1 else mean


def _has_own_loss(trainer: Any) -> bool:
    """True if a subclass computes the loss, so that only the model shows what was divided."""
    return not type(trainer).compute_loss.__module__.startswith("transformers.")


def _shifts(trainer: Any, model: Any) -> bool:
    """True if the loss predicts each next token, so that the first label does not count.

    The Trainer's own count may include that label: it goes by `loss_type`, which GPT-2 leaves out.
    """
    if getattr(trainer, "compute_loss_func", None) is not None:
        return bool(getattr(trainer, "_loss_shifts_labels", False))
    inner = trainer.accelerator.unwrap_model(model)
    if getattr(getattr(inner, "config", None), "is_encoder_decoder", False):
        return False
    function = getattr(inner, "loss_function", None)
    if function is not None:
        return getattr(function, "__name__", "") == "ForCausalLMLoss"
    return type(inner).__name__.endswith(("ForCausalLM", "LMHeadModel"))
