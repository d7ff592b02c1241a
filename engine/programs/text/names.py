"""The meaning of the names under which programs print numbers."""

import re
from enum import IntEnum
from functools import lru_cache
from typing import Final

_PARTS: Final = re.compile(r"[^a-z0-9]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HELD_OUT: Final = _words("val valid validation eval evaluation test dev holdout")
_OF_TRAINING: Final = _words("loss train training tr step batch")
_AVERAGED: Final = _OF_TRAINING | _words(
    "avg average mean running total cur current smoothed ema minibatch mini"
)
_NO_LOSSES: Final = _words(
    "best min minimum max lowest target weight scale scaler prev previous initial time"
)
_RATES: Final = _words("lr learning_rate learningrate")
_STEPS: Final = _words(
    "step steps iter iters iteration iterations it batch update global_step batch_idx num_updates"
)
_EPOCHS: Final = _words("epoch epochs ep")


class Meaning(IntEnum):
    """The meaning of a name. The losses of a training come first, the likeliest before others."""

    LOSS = 0
    """Exactly the loss."""
    TRAINING_LOSS = 1
    """The loss of a training step, such as train_loss or train/loss_step."""
    AVERAGED_LOSS = 2
    PART_OF_LOSS = 3
    """A loss beside others, such as loss_cls."""
    EPOCH_LOSS = 4
    """A mean over an epoch, printed once an epoch."""
    HELD_OUT_LOSS = 5
    RATE = 6
    STEP = 7
    EPOCH = 8
    SCALAR = 9

    @property
    def is_loss(self) -> bool:
        """True for losses on training data."""
        return self <= Meaning.EPOCH_LOSS


@lru_cache(maxsize=4096)
def canonical(name: str) -> str:
    """The name in one spelling: "Learning rate" and "learning_rate" are the same."""
    return "_".join(name.replace("'", "").replace('"', "").split())


@lru_cache(maxsize=4096)
def meaning(name: str) -> Meaning:
    """The meaning of a name, whatever its spelling."""
    plain = _PARTS.sub("_", name.lower()).strip("_")
    parts = frozenset(plain.split("_"))
    counted = plain.removeprefix("train_").removeprefix("training_")
    if counted in _STEPS:
        return Meaning.STEP
    if counted in _EPOCHS:
        return Meaning.EPOCH
    if plain in _RATES or plain.startswith("lr_"):
        return Meaning.RATE
    if "loss" in parts or "losses" in parts or plain.endswith("loss"):
        return _of_loss(plain, parts)
    return Meaning.SCALAR


def _of_loss(plain: str, parts: frozenset[str]) -> Meaning:
    if parts & _NO_LOSSES:
        return Meaning.SCALAR
    if parts & _HELD_OUT:
        rest = parts - _HELD_OUT - _AVERAGED - {"epoch"}
        return Meaning.SCALAR if rest else Meaning.HELD_OUT_LOSS
    if plain == "loss":
        return Meaning.LOSS
    if "epoch" in parts:
        return Meaning.EPOCH_LOSS
    if parts <= _OF_TRAINING:
        return Meaning.TRAINING_LOSS
    return Meaning.AVERAGED_LOSS if parts <= _AVERAGED else Meaning.PART_OF_LOSS


@lru_cache(maxsize=4096)
def is_held_out(label: str) -> bool:
    """True for the label of a bar that goes over held-out data, such as "Validating"."""
    words = _PARTS.sub(" ", label.lower()).split()
    stems = ("validat", "evaluat", "testing")
    return any(word in _HELD_OUT or word.startswith(stems) for word in words)
