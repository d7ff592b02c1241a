"""The block that a trainer's settings call for, or the reason why it trains eagerly."""

from collections.abc import Iterator, Mapping
from typing import Final

from torch import nn

from engine.problem import OWN
from engine.settings import LrSchedule, Precision
from engine.training.compiled.spec import BlockSpec, TensorShape, UnsuitedError, intra_op_threads
from engine.training.data.loaded import LoadedSamples
from engine.training.schedule import epoch_end
from engine.training.state.generators import OBJECTS
from engine.training.trainer import Trainer

_MOST_UPDATES: Final = 16
"""Updates of a block: more take longer to compile than they save."""
_MOST_OF_EPOCH: Final = 32
"""Updates of an epoch that are one block: a single one left over takes as long as ten in it."""
_EAGER_COST: Final = 10
"""Calls of a block that take about as long as an eager update does more than one of a block."""
_MOST_BESIDE_SHORT: Final = 20 * _EAGER_COST
"""Whole updates of an epoch in which a short one, done eagerly, takes a twentieth of the time."""
_DEVICES: Final = ("cpu", "cuda")


def spec_of(trainer: Trainer) -> BlockSpec:
    """The block of the settings in force. Raises UnsuitedError with the reason if there is none."""
    for reason in _reasons(trainer):
        raise UnsuitedError(reason)
    resolved, settings = trainer.resolved, trainer.settings
    group = resolved.batch_size * resolved.accumulation_steps
    updates = updates_of_block(trainer.n // group)
    one = trainer.source.take(0, 1)
    names = tuple(one) if isinstance(one, Mapping) else ()
    tensors = one.values() if isinstance(one, Mapping) else one
    size = updates * group
    return BlockSpec(
        batch_size=resolved.batch_size,
        accumulation_steps=resolved.accumulation_steps,
        updates=updates,
        samples=tuple(TensorShape.of(each.new_empty((size, *each.shape[1:]))) for each in tensors),
        names=names,
        optimizer=settings.optimizer,
        has_momentum=settings.momentum > 0,
        has_clip=settings.clip is not None,
        precision=settings.precision,
        device=trainer.device.type,
        threads=intra_op_threads(trainer.device),
    )


def short_group(trainer: Trainer) -> int:
    """Samples of the short group that ends an epoch if that is a good part of it, otherwise 0."""
    resolved = trainer.resolved
    group = resolved.batch_size * resolved.accumulation_steps
    end = epoch_end(0, trainer.n, resolved, drop_last=trainer.settings.drop_last)
    return end % group if end // group <= _MOST_BESIDE_SHORT else 0


def updates_of_block(whole: int) -> int:
    """Updates of a block, for an epoch of so many whole updates: few calls, few left over."""
    if whole <= _MOST_OF_EPOCH:
        return whole
    sizes = range(_MOST_UPDATES, _MOST_UPDATES // 2 - 1, -1)
    return min(sizes, key=lambda size: whole // size + _EAGER_COST * (whole % size))


def _reasons(trainer: Trainer) -> Iterator[str]:
    """The reasons against a block that show without tracing, most telling first."""
    settings, resolved = trainer.settings, trainer.resolved
    if trainer.device.type not in _DEVICES:
        yield f"updates are not compiled on {trainer.device.type}"
    if isinstance(trainer.source, LoadedSamples):
        yield "the samples are read from a Dataset, one batch at a time"
    if trainer.most_at_once is not None:
        yield "the batches are computed in pieces, to save memory"
    if settings.precision is Precision.FP16:
        yield "fp16 scales its gradients by what the last update gave"
    if settings.schedule is LrSchedule.OWN:
        yield "the problem has its own schedule"
    if settings.optimizer_parsed.name == OWN:
        yield "the problem has its own optimiser"
    if resolved.batch_size * resolved.accumulation_steps > trainer.n:
        yield "an epoch has no whole update"
    yield from _reasons_of_model(trainer.model)


def _reasons_of_model(model: nn.Module) -> Iterator[str]:
    for name, module in model.named_modules():
        part = name or type(module).__name__
        if hasattr(module, "_orig_mod"):
            yield "the model compiles itself (torch.compile)"
        if any(isinstance(value, OBJECTS) for value in vars(module).values()):
            yield f"{part} has its own generator of random numbers"
        if isinstance(module, nn.Embedding | nn.EmbeddingBag) and module.sparse:
            yield f"the gradients of {part} are sparse"
