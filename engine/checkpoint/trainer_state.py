"""The whole state of a trainer at a group boundary, and a trainer that continues from it.

A state holds plain values and tensors. It refers to the trainer's own tensors, which training
overwrites: whoever keeps it must copy them first.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn

from engine.training.state.generators import global_generators, restore_global_generators
from engine.training.state.modules import StateMismatchError, module_state, restore_module
from engine.training.state.position import Position
from engine.training.trainer import Trainer


def trainer_state(trainer: Trainer) -> dict[str, Any]:
    """Everything that decides the next losses, beside the settings and the position."""
    return {
        "modules": {name: module_state(each) for name, each in _modules(trainer)},
        "recipe": trainer.recipe.state(),
        "generators": global_generators(trainer.device),
    }


def restore_trainer(trainer: Trainer, place: Position, state: Mapping[str, Any]) -> None:
    """Let a newly made trainer with the same settings continue from this state.

    Raises StateMismatchError for the state of another problem, after which the trainer is of no
    use.
    """
    if place.in_epoch > trainer.n:
        raise StateMismatchError(f"it is at sample {place.in_epoch:,} of {trainer.n:,} an epoch")
    try:
        for name, module in _modules(trainer):
            restore_module(module, state["modules"][name])
        trainer.recipe.restore(state["recipe"])
        trainer.go_to(place)
        restore_global_generators(state["generators"], trainer.device)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise StateMismatchError(f"its state does not fit this problem ({reason})") from error


def _modules(trainer: Trainer) -> Iterator[tuple[str, nn.Module]]:
    """The model, and the loss if it is a module, since it may have statistics of its own."""
    yield "model", trainer.model
    if isinstance(loss := trainer.problem.loss, nn.Module):
        yield "loss", loss
