"""The compiled steps of torch, as a worker uses them; imported once one is wanted."""

from pathlib import Path

import msgspec

from engine.training.compiled.block import CompiledBlock
from engine.training.compiled.captured import CapturedBlock
from engine.training.compiled.spec import BlockSpec, UnsuitedError
from engine.training.compiled.suitability import short_group, spec_of, updates_of_block
from engine.training.execution.block import UpdateBlock
from engine.training.trainer import Trainer
from engine.worker.protocol import BuildAnswer


def specify(trainer: Trainer, most: int | None = None, updates: int = 0) -> tuple[bytes, str]:
    """The description of a compiled step for the settings in force; or b"" and a reason.

    `most`: limit of the updates in a call; `updates`: exactly so many, as another one had.
    """
    try:
        spec = spec_of(trainer)
    except UnsuitedError as error:
        return b"", str(error)
    if not updates and most is not None and most < spec.updates:
        updates = min(most, updates_of_block(most))
    return msgspec.msgpack.encode(spec.with_updates(updates or spec.updates)), ""


def specify_end(trainer: Trainer, spec: bytes) -> tuple[bytes, int]:
    """The description and the samples of a compiled step for the ends of epochs; b"" if needless.

    `spec` describes the compiled step of whole groups, which it goes with.
    """
    if not (samples := short_group(trainer)):
        return b"", 0
    return msgspec.msgpack.encode(described(spec).with_short_group(samples)), samples


def described(spec: bytes) -> BlockSpec:
    """The compiled step of a description, which a worker made."""
    return msgspec.msgpack.decode(spec, type=BlockSpec)


def load(answer: BuildAnswer, trainer: Trainer) -> UpdateBlock:
    """Load a compiled step for a trainer; without a file, capture it, in the thread that trains.

    Raises OSError, or others if it does not fit.
    """
    if answer.path:
        return CompiledBlock.load(Path(answer.path), trainer.objective, trainer.recipe)
    spec = described(answer.spec)
    samples = trainer.source.take(0, spec.size)
    return CapturedBlock(spec, trainer.objective, trainer.recipe, samples)
